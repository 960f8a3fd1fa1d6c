import type { Queries } from '../database/database.ts';
import type { ChatId, UserId } from '../ids.ts';
import { leftSince, renamedSince } from './beforeChats.sql.ts';
import { changesSince } from './changes.sql.ts';
import { everything } from './everything.sql.ts';
import { STAGE, type Stage, type SyncCursor, type SyncPosition } from './syncCursor.ts';

/** A change with its position in the list of all changes. */
export interface ChangeRow {
  /** 0 for a change that belongs to no chat, or to one that the user has left. */
  readonly chatId: ChatId | 0;
  readonly stage: Stage;
  /**
   * The transaction of the change; 0 if the list is not ordered by transactions; the first late one for late changes.
   */
  readonly xid: number;
  /** Seq of a message, id of a user, or id of a group that was left; 0 for the state of a chat. */
  readonly at: number;
  /** False if the row only marks the position at which the search stopped. */
  readonly isIncluded: boolean;
  /** True if the search stopped with this row and more may follow. */
  readonly isLast: boolean;
}

/** Returns the position of a row, after which the list continues. */
export const positionOf = ({ chatId, stage, xid, at }: ChangeRow): SyncPosition => [chatId, stage, xid, at];

/** Chats scanned by the consecutive statements of a page: few at first, more while there are no changes. */
const CHATS = [500, 2_000, 8_000, 8_000];

/**
 * Finds at most `limit` changes after the position of a cursor. `next` is the position after which more may follow,
 * even if there are fewer than `limit`; undefined at the end.
 */
export async function findChanges(
  db: Queries,
  userId: UserId,
  { since, position }: Pick<SyncCursor, 'since' | 'position'>,
  limit: number,
): Promise<{ rows: ChangeRow[]; next: SyncPosition | undefined }> {
  const rows: ChangeRow[] = [];
  let next: SyncPosition | undefined = position;
  for (let statements = 0; next && rows.length < limit && statements < CHATS.length; ) {
    const left = limit - rows.length;
    let found: ChangeRow[];
    const [chatId, stage, xid, at]: SyncPosition = next;
    if (since === null) found = await db.query(everything, [userId, chatId, stage, at, left]);
    else if (stage === STAGE.name) found = await db.query(renamedSince, [userId, since, xid, at, left]);
    else if (stage === STAGE.left) found = await db.query(leftSince, [userId, since, xid, at, left]);
    else found = await db.query(changesSince, [userId, since, ...next, left, CHATS[statements++]]);

    const end = found.findIndex(({ isLast }) => isLast);
    found.length = Math.min(left, end < 0 ? found.length : end + 1);
    const last = end >= 0 || found.length === left ? found.at(-1) : undefined;
    rows.push(...found.filter(({ isIncluded }) => isIncluded));
    next = last ? positionOf(last) : nextStart(next, since);
    if (last?.isLast && last.stage === STAGE.name) break; // enough for a page, even if nothing was found
  }
  return { rows, next };
}

/** Returns the start of the next list after the end of the list of a position. */
function nextStart([, stage]: SyncPosition, since: string | null): SyncPosition | undefined {
  if (since === null) return undefined;
  if (stage === STAGE.name) return [0, STAGE.left, 0, 0];
  return stage === STAGE.left ? [0, STAGE.chats, 0, 0] : undefined;
}
