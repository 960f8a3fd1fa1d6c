import type { Transaction } from 'sequelize';
import type { Database } from '../database/database.ts';
import type { MessageId } from '../ids.ts';
import { countChange, type Raised, raisedColumns } from './changeMessage.ts';

/**
 * Empties messages for everybody: nothing of what they said is kept but that they were there. They are locked first:
 * the statement that empties them then sees what the search index took of them. The change is counted.
 */
export async function leaveTombstones(
  db: Database,
  messageIds: readonly MessageId[],
  transaction: Transaction,
): Promise<Tombstone[]> {
  await db.query(lock, [JSON.stringify(messageIds)], transaction);
  return db.execute<Tombstone>(tombstones, [JSON.stringify(messageIds)], transaction);
}

/** When a message was deleted, and how that was counted. */
export interface Tombstone extends Raised {
  readonly deletedAt: Date;
}

const lock = `
select from messages where id = any (array(select id.value::bigint from jsonb_array_elements_text($1::jsonb) id))
order by id for no key update
`;

export const tombstones = `
with wanted as (
  select id.value::bigint as id from jsonb_array_elements_text($1::jsonb) id
), before as (
  select id, mentions from messages where id = any (array(select id from wanted))
), gone as (
  update messages
  set content = '', custom = null, mentions = null, reactions = null, deleted_at = clock_timestamp(),
    ${countChange}
  where id = any (array(select id from wanted))
  returning id, chat_id, seq, deleted_at, ${raisedColumns}
), edits as (
  delete from message_edits where message_id = any (array(select id from wanted))
), searched as (
  delete from message_search where message_id = any (array(select id from wanted))
), reacted as (
  delete from reactions using gone where reactions.chat_id = gone.chat_id and reactions.seq = gone.seq
), pinned as (
  delete from pins using gone where pins.chat_id = gone.chat_id and pins.seq = gone.seq
), mentioned as (
  delete from mentions using gone, before
  where before.id = gone.id and mentions.user_id = any (before.mentions)
    and mentions.chat_id = gone.chat_id and mentions.seq = gone.seq
)
select deleted_at as "deletedAt", version, head from gone
`;
