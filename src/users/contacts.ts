import type { Database } from '../database/database.ts';
import type { UserId } from '../ids.ts';

/** How many contacts are told at once; others see the change when they ask. */
const MAX_CONTACTS = 1_000;

/** Oneself and those one has a dialog with, of the newest dialogs first, without those who are blocked or block. */
export async function contactsOf(db: Database, userId: UserId): Promise<UserId[]> {
  const rows = await db.select<{ id: UserId }>(contacts, [userId, MAX_CONTACTS]);
  return [userId, ...rows.map(({ id }) => id)];
}

const contacts = `
select chats.user_low + chats.user_high - $1 as id
from chat_members join chats on chats.id = chat_members.chat_id
where chat_members.user_id = $1 and chats.kind = 'dialog' and chats.user_low <> chats.user_high
  and not exists (
    select from blocks
    where user_id in (chats.user_low, chats.user_high) and blocked_id in (chats.user_low, chats.user_high)
  )
order by chats.last_message_at desc
limit $2
`;
