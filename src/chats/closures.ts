import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Transaction } from 'sequelize';
import type { Database } from '../database/database.ts';
import { isTransient } from '../database/failures.ts';
import { type Recurring, recurring } from '../database/recurring.ts';
import type { ChatId } from '../ids.ts';

/*
 * A group that is deleted is closed, in the turn of the change: nobody is a member of it from then on, whatever is in
 * chat_members. Its rows there are moved to former_members behind that, a slice at a time, so that nobody waits for
 * ten thousand of them. `sync` finds the same before and after: the transaction of the closing.
 */

/** Milliseconds between two looks at groups that are not emptied yet: a node that emptied one may have died. */
const LOOK = 30_000;
/** Members moved by one statement, and milliseconds between two of them. */
const SLICE = 500;
const PAUSE = 10;

/** Notes in the transaction that closes a group that its members are to be moved. */
export async function noteClosure(db: Database, groupId: ChatId, transaction: Transaction): Promise<void> {
  await db.execute(insertClosure, [groupId], transaction);
}

/** Moves the members of groups that were deleted to the former ones, now and every half a minute, on any number of nodes. */
export function emptyClosedGroups(db: Database, log: Logger): Recurring {
  return recurring(LOOK, async (closing) => {
    try {
      for (const { id } of await db.query<{ id: ChatId }>(closures, [])) await empty(id, closing);
    } catch (error) {
      if (!isTransient(error)) log.error({ err: error }, 'groups that are closed could not be emptied');
    }
  });

  async function empty(groupId: ChatId, closing: AbortSignal): Promise<void> {
    for (let isDone = false; !isDone && !closing.aborted; ) {
      await db.execute(moveMembers, [groupId, SLICE]);
      isDone = (await db.execute(deleteClosure, [groupId])).length === 0;
      if (!isDone) await delay(PAUSE);
    }
  }
}

const insertClosure = 'insert into closures (chat_id) values ($1) on conflict (chat_id) do nothing';

const closures = 'select chat_id as id from closures order by created_at';

/**
 * Moves $2 members of the closed group $1, in the order of their ids, so that two nodes never deadlock. All by primary
 * keys. They are as if they had left with the closing.
 */
const moveMembers = `
with closed as materialized (
  select id, changed_xid, closed_at, last_seq from chats where id = $1 and closed_at is not null
), gone as (
  delete from chat_members
  where chat_id = (select id from closed) and user_id = any (array(
    select user_id from chat_members where chat_id = (select id from closed) order by user_id limit $2
  ))
  returning chat_id, user_id
)
insert into former_members (chat_id, user_id, xid, left_at, left_seq)
select chat_id, user_id, changed_xid, closed_at, last_seq from gone cross join closed
on conflict (chat_id, user_id) do update
set xid = excluded.xid, left_at = excluded.left_at, left_seq = excluded.left_seq
`;

/** Takes note that the group $1 is empty; a row is left where it is not. */
const deleteClosure = `
with emptied as (
  delete from closures
  where chat_id = $1 and not exists (select from chat_members where chat_id = $1)
  returning chat_id
)
select from closures where chat_id = $1 and not exists (select from emptied)
`;
