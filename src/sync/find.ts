import type { Queries } from '../database/database.ts';
import type { ChatId, UserId } from '../ids.ts';
import { leftSince, renamedSince } from './beforeChats.sql.ts';
import { changesSince } from './changes.sql.ts';
import { STAGE, type Stage, type SyncCursor, type SyncPosition } from './cursor.ts';
import { everything } from './everything.sql.ts';

/** A change, by its place in the list of all. */
export interface ChangeRow {
  /** 0 for what is of no chat, or of one that the user has left. */
  readonly chatId: ChatId | 0;
  readonly stage: Stage;
  /** The transaction of the change; 0 where the list is in no such order, and where it is, the first of the late ones. */
  readonly xid: number;
  /** Seq of a message, id of a user, id of a group that was left; 0 for what there is once. */
  readonly at: number;
  /** False: only where the search stopped. */
  readonly isTold: boolean;
  /** The search stopped with this one: more may follow. */
  readonly isLast: boolean;
}

/** Returns where a list goes on behind a row. */
export const positionOf = ({ chatId, stage, xid, at }: ChangeRow): SyncPosition => [chatId, stage, xid, at];

/**
 * Chats that the statements of a page look at for changes, one after another: few where there are many changes, more
 * while there are none.
 */
const CHATS = [500, 2_000, 8_000, 8_000];

/**
 * Finds the changes behind the place of a cursor, at most `limit`. `next` is where more may follow, however few these are;
 * undefined at the end.
 */
export async function findChanges(
  db: Queries,
  userId: UserId,
  { since, place }: Pick<SyncCursor, 'since' | 'place'>,
  limit: number,
): Promise<{ rows: ChangeRow[]; next: SyncPosition | undefined }> {
  const rows: ChangeRow[] = [];
  let next: SyncPosition | undefined = place;
  for (let looks = 0; next && rows.length < limit && looks < CHATS.length; ) {
    const left = limit - rows.length;
    let found: ChangeRow[];
    const [chatId, stage, xid, at]: SyncPosition = next;
    if (since === null) found = await db.query(everything, [userId, chatId, stage, at, left]);
    else if (stage === STAGE.name) found = await db.query(renamedSince, [userId, since, xid, at, left]);
    else if (stage === STAGE.left) found = await db.query(leftSince, [userId, since, xid, at, left]);
    else found = await db.query(changesSince, [userId, since, ...next, left, CHATS[looks++]]);

    const end = found.findIndex(({ isLast }) => isLast);
    found.length = Math.min(left, end < 0 ? found.length : end + 1);
    const last = end >= 0 || found.length === left ? found.at(-1) : undefined;
    rows.push(...found.filter(({ isTold }) => isTold));
    next = last ? positionOf(last) : behind(next, since);
    if (last?.isLast && last.stage === STAGE.name) break; // enough for a page, whatever was found
  }
  return { rows, next };
}

/** Where the next list begins when the one of a place has no more. */
function behind([, stage]: SyncPosition, since: string | null): SyncPosition | undefined {
  if (since === null) return undefined;
  if (stage === STAGE.name) return [0, STAGE.left, 0, 0];
  return stage === STAGE.left ? [0, STAGE.chats, 0, 0] : undefined;
}
