import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Transaction } from 'sequelize';
import type { Database } from '../database/database.ts';
import { isTransient } from '../database/failures.ts';
import { type Recurring, recurring } from '../database/recurring.ts';
import type { ChatId } from '../ids.ts';

/*
 * Deleting a group closes it: from then on it has no members, regardless of the rows in chat_members. These rows are
 * moved to former_members later, a slice at a time, so that no command waits for ten thousand of them. `sync` finds the
 * same before and after: the transaction that closed the group.
 */

/**
 * Milliseconds between two checks for closed groups with members, because a node that was moving them may have died.
 */
const INTERVAL = 30_000;
/** Members moved per statement, and milliseconds between two statements. */
const SLICE = 500;
const PAUSE = 10;

/** Records in the transaction that closes a group that its members are to be moved. */
export async function recordClosure(db: Database, groupId: ChatId, transaction: Transaction): Promise<void> {
  await db.execute(insertClosure, [groupId], transaction);
}

/** Moves the members of closed groups to former_members, now and every 30 seconds. Any number of nodes may run it. */
export function emptyClosedGroups(db: Database, log: Logger): Recurring {
  return recurring(INTERVAL, async (closing) => {
    try {
      for (const { id } of await db.query<{ id: ChatId }>(closures, [])) await empty(id, closing);
    } catch (error) {
      if (!isTransient(error)) log.error({ err: error }, 'failed to empty closed groups');
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
 * Moves $2 members of the closed group $1, ordered by id so that two nodes never deadlock. Uses primary keys only. The
 * members appear as if they had left when the group was closed.
 */
const moveMembers = `
with closed as materialized (
  select id, changed_xid, closed_at, last_seq from chats where id = $1 and closed_at is not null
), removed as (
  delete from chat_members
  where chat_id = (select id from closed) and user_id = any (array(
    select user_id from chat_members where chat_id = (select id from closed) order by user_id limit $2
  ))
  returning chat_id, user_id
)
insert into former_members (chat_id, user_id, xid, left_at, left_seq)
select chat_id, user_id, changed_xid, closed_at, last_seq from removed cross join closed
on conflict (chat_id, user_id) do update
set xid = excluded.xid, left_at = excluded.left_at, left_seq = excluded.left_seq
`;

/** Deletes the closure of the group $1 if the group is empty; returns a row if it is not. */
const deleteClosure = `
with emptied as (
  delete from closures
  where chat_id = $1 and not exists (select from chat_members where chat_id = $1)
  returning chat_id
)
select from closures where chat_id = $1 and not exists (select from emptied)
`;
