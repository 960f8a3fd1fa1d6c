import { type Cursors, wrongCursor } from '../protocol/cursor.ts';

/** The progress of a client's synchronisation. */
export interface SyncCursor {
  /** The run of the database in which it was created: ids of transactions may differ in another one. */
  readonly database: string;
  /** The snapshot (`pg_snapshot` as text) of the previous synchronisation; null for the first one. */
  readonly since: string | null;
  /** While pages are left, the snapshot of the first page and the position of the last row read. */
  readonly until: string | null;
  readonly position: SyncPosition;
}

/**
 * The order of changes: renamed users and left groups, which belong to no chat; then for each chat its state; members
 * who joined or have another role, members who left, and changed messages, each first ordered by settled transactions
 * and then the late changes; and finally new messages.
 */
export const STAGE = {
  name: 0,
  left: 1,
  /** The beginning of the chats. */
  chats: 2,
  chat: 3,
  member: 4,
  lateMember: 5,
  memberLeft: 6,
  lateMemberLeft: 7,
  changed: 8,
  lateChanged: 9,
  message: 10,
  /** After all changes of a chat. */
  end: 11,
} as const;
export type Stage = (typeof STAGE)[keyof typeof STAGE];

/** The last row read, see `ChangeRow` in find.ts. */
export type SyncPosition = readonly [chatId: number, stage: Stage, xid: number, at: number];

export const START: SyncPosition = [0, STAGE.name, 0, 0];

/** Encodes a cursor as text for the client. */
export function encodeSyncCursor(cursors: Cursors, { database, since, until, position }: SyncCursor): string {
  return cursors.encode([database, since, until, ...(position === START ? OLD_START : position)]);
}

/** Decodes the result of {@link encodeSyncCursor}; refuses anything else with `BAD_REQUEST`. */
export function decodeSyncCursor(cursors: Cursors, cursor: string): SyncCursor {
  const parts = cursors.decode(cursor);
  if (!Array.isArray(parts) || parts.length < 6 || parts.length > 7) throw wrongCursor(); // from another version
  const [database, since, until, ...position] = parts;
  return {
    database,
    since,
    until,
    position:
      position.length === 4
        ? (position as unknown as SyncPosition)
        : positionFrom(since, position as unknown as OldSyncPosition),
  };
}

/*
 * Up to schema version 24 a position was a chat, a rank and an id within it, or 0, a user and a transaction. Cursors at
 * the end of a synchronisation are still encoded like this, so that nodes of these versions accept them; they refuse
 * those in the middle of one.
 */
type OldSyncPosition = readonly [chatId: number, rank: number, at: number];
const OLD_START: OldSyncPosition = [0, 0, 0];
const OLD_RANK_OF_MESSAGES = 4;

/** Converts an older position. Because changes had another order, all changes of chats are listed again. */
function positionFrom(since: string | null, [chatId, rank, at]: OldSyncPosition): SyncPosition {
  if (chatId === 0) return [0, STAGE.name, at, rank];
  if (since !== null) return [0, STAGE.left, 0, 0];
  return rank === OLD_RANK_OF_MESSAGES ? [chatId, STAGE.message, 0, at] : [chatId, STAGE.chat, 0, 0];
}
