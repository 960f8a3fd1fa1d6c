import type { Database } from '../database/database.ts';
import { prepared } from '../database/statements.ts';
import type { UserId } from '../ids.ts';
import { otherInSql } from './pairs.ts';

/** Contacts to which a change is pushed; others see it when they read the profile. */
const MAX_CONTACTS = 1_000;

/**
 * Returns the user and the users they have dialogs with, newest dialogs first, except those with a block in either
 * direction.
 */
export async function contactsOf(db: Database, userId: UserId): Promise<UserId[]> {
  const rows = await db.query<{ id: UserId }>(contacts, [userId, MAX_CONTACTS]);
  return [userId, ...rows.map(({ id }) => id)];
}

/**
 * Reads the memberships of the user $1 (index chat_members_by_user) and their chats by a list of ids; $2 is the limit.
 */
const contacts = prepared(
  'contacts',
  `
select ${otherInSql('chats', '$1')} as id
from chats
where kind = 'dialog' and user_low <> user_high
  and id = any (array(select chat_id from chat_members where user_id = $1))
  and ${otherInSql('chats', '$1')} <> all (array(
    select blocked_id from blocks where user_id = $1 union all select user_id from blocks where blocked_id = $1
  ))
order by last_message_at desc
limit $2
`,
);
