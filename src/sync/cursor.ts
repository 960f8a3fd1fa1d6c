import { type Cursors, wrongCursor } from '../protocol/cursor.ts';

/** How far a client has synchronised. */
export interface SyncCursor {
  /** The run of the database it was made in: numbers of transactions may mean something else in another one. */
  readonly database: string;
  /** The snapshot (`pg_snapshot` as text) that everything before was read from; null for nothing yet. */
  readonly since: string | null;
  /** While pages are left: the snapshot of the first of them, and the place of the last row read. */
  readonly until: string | null;
  readonly place: SyncPosition;
}

/**
 * What comes in this order: people who have another name and groups that the user has left, both of no chat; then chat by
 * chat its own state; members who came or have another role, members who left, and messages that changed, each in the
 * order of transactions, and then those that changed late; new messages.
 */
export const STAGE = {
  name: 0,
  left: 1,
  /** Where the chats begin. */
  chats: 2,
  chat: 3,
  member: 4,
  lateMember: 5,
  memberLeft: 6,
  lateMemberLeft: 7,
  changed: 8,
  lateChanged: 9,
  message: 10,
  /** Behind all of a chat. */
  end: 11,
} as const;
export type Stage = (typeof STAGE)[keyof typeof STAGE];

/** The last row read, see `ChangeRow` in find.ts. */
export type SyncPosition = readonly [chatId: number, stage: Stage, xid: number, at: number];

export const START: SyncPosition = [0, STAGE.name, 0, 0];

export function encodeSyncCursor(cursors: Cursors, { database, since, until, place }: SyncCursor): string {
  return cursors.encode([database, since, until, ...(place === START ? OLD_START : place)]);
}

/** Reads what {@link encodeSyncCursor} wrote; refuses with `BAD_REQUEST` anything else. */
export function decodeSyncCursor(cursors: Cursors, cursor: string): SyncCursor {
  const parts = cursors.decode(cursor);
  if (!Array.isArray(parts) || parts.length < 6 || parts.length > 7) throw wrongCursor(); // of another version
  const [database, since, until, ...place] = parts;
  return {
    database,
    since,
    until,
    place:
      place.length === 4
        ? (place as unknown as SyncPosition)
        : positionFrom(since, place as unknown as OldSyncPosition),
  };
}

/*
 * Up to schema version 24 a place was a chat, a rank and an id within, or 0, a user and a transaction. Between two runs
 * cursors are still written so, and nodes of these versions take them; those amid a run they refuse.
 */
type OldSyncPosition = readonly [chatId: number, rank: number, at: number];
const OLD_START: OldSyncPosition = [0, 0, 0];
const OLD_RANK_OF_MESSAGES = 4;

/** Where to go on from an older place. Changes came in another order: all that are of chats come again. */
function positionFrom(since: string | null, [chatId, rank, at]: OldSyncPosition): SyncPosition {
  if (chatId === 0) return [0, STAGE.name, at, rank];
  if (since !== null) return [0, STAGE.left, 0, 0];
  return rank === OLD_RANK_OF_MESSAGES ? [chatId, STAGE.message, 0, at] : [chatId, STAGE.chat, 0, 0];
}
