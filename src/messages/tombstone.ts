import type { Transaction } from 'sequelize';
import type { Database } from '../database/database.ts';
import type { MessageId } from '../ids.ts';
import { countChange, type Raised, raisedColumns } from './changeMessage.ts';

/**
 * Replaces messages by tombstones: deletes their content and everything attached to them and counts the change. The
 * messages are locked first, so that the following statement sees their entries in the search index.
 */
export async function leaveTombstones(
  db: Database,
  messageIds: readonly MessageId[],
  transaction: Transaction,
): Promise<Tombstone[]> {
  await db.query(lock, [JSON.stringify(messageIds)], transaction);
  return db.execute<Tombstone>(tombstones, [JSON.stringify(messageIds)], transaction);
}

/** The time of the deletion of a message, and the counted change. */
export interface Tombstone extends Raised {
  readonly messageId: MessageId;
  readonly deletedAt: Date;
}

const lock = `
select from messages where id = any (array(select id.value::bigint from jsonb_array_elements_text($1::jsonb) id))
order by id for no key update
`;

export const tombstones = `
with requested as (
  select id.value::bigint as id from jsonb_array_elements_text($1::jsonb) id
), before as (
  select id, mentions from messages where id = any (array(select id from requested))
), emptied as (
  update messages
  set content = '', custom = null, mentions = null, reactions = null, deleted_at = clock_timestamp(),
    ${countChange}
  where id = any (array(select id from requested))
  returning id, chat_id, seq, deleted_at, ${raisedColumns}
), edits as (
  delete from message_edits where message_id = any (array(select id from requested))
), searched as (
  delete from message_search where message_id = any (array(select id from requested))
), reacted as (
  delete from reactions using emptied where reactions.chat_id = emptied.chat_id and reactions.seq = emptied.seq
), pinned as (
  delete from pins using emptied where pins.chat_id = emptied.chat_id and pins.seq = emptied.seq
), mentioned as (
  delete from mentions using emptied, before
  where before.id = emptied.id and mentions.user_id = any (before.mentions)
    and mentions.chat_id = emptied.chat_id and mentions.seq = emptied.seq
)
select id as "messageId", deleted_at as "deletedAt", version, head from emptied
`;
