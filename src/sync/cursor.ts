import { ApiError } from '../errors.ts';

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

/** Chat, rank of the kind, and seq or user id within. */
export type Place = readonly [chatId: number, rank: number, at: number];

export const START: Place = [0, 0, 0];

export function encodeSyncCursor({ database, since, until, place }: SyncCursor): string {
  return Buffer.from(JSON.stringify([database, since, until, ...place])).toString('base64url');
}

/** Reads what {@link encodeSyncCursor} wrote; refuses with `BAD_REQUEST` anything else. */
export function decodeSyncCursor(text: string): SyncCursor {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (Array.isArray(parts) && parts.length === 6) {
      const [database, since, until, ...place] = parts;
      const snapshots = [since, until].every((snapshot) => snapshot === null || isSnapshot(snapshot));
      const isPlace = place.every((part) => Number.isSafeInteger(part) && part >= 0);
      if (typeof database === 'string' && /^\d{1,20}(@\d{1,20})?$/.test(database) && snapshots && isPlace)
        return { database, since, until, place: place as unknown as Place };
    }
  } catch {
    // told below
  }
  throw new ApiError('BAD_REQUEST', 'params.cursor must be a cursor that sync answered');
}

/** `xmin:xmax:xip,xip…`, https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT */
function isSnapshot(text: unknown): boolean {
  const [, xmin, xmax, running = ''] =
    (typeof text === 'string' && /^(\d{1,18}):(\d{1,18}):([\d,]*)$/.exec(text)) || [];
  if (xmin === undefined || xmax === undefined || BigInt(xmin) > BigInt(xmax) || xmin === '0') return false;
  if (running === '') return true;
  const numbers = running.split(',');
  return numbers.every(
    (number, index) =>
      /^\d{1,18}$/.test(number) &&
      BigInt(number) >= BigInt(xmin) &&
      BigInt(number) < BigInt(xmax) &&
      (index === 0 || BigInt(number) > BigInt(numbers[index - 1] ?? 0)),
  );
}
