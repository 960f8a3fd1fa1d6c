import { type Cursors, wrongCursor } from '../schema/cursor.ts';

/** How far a client has synchronised. */
export interface SyncCursor {
  /** The run of the database it was made in: numbers of transactions may mean something else in another one. */
  readonly database: string;
  /** The snapshot (`pg_snapshot` as text) that everything before was read from; null for nothing yet. */
  readonly since: string | null;
  /** While pages are left: the snapshot of the first of them, and the place of the last row read. */
  readonly until: string | null;
  readonly place: Place;
}

/**
 * Chat, rank of the kind, and seq or user id within; of a user who has another name, 0, the user, and the transaction of
 * the change.
 */
export type Place = readonly [chatId: number, rank: number, at: number];

export const START: Place = [0, 0, 0];

export function encodeSyncCursor(cursors: Cursors, { database, since, until, place }: SyncCursor): string {
  return cursors.encode([database, since, until, ...place]);
}

/** Reads what {@link encodeSyncCursor} wrote; refuses with `BAD_REQUEST` anything else. */
export function decodeSyncCursor(cursors: Cursors, cursor: string): SyncCursor {
  const parts = cursors.decode(cursor);
  if (!Array.isArray(parts) || parts.length !== 6) throw wrongCursor(); // of another version
  const [database, since, until, ...place] = parts;
  return { database, since, until, place: place as unknown as Place };
}
