import type { Database } from '../database/database.ts';
import type { User } from '../database/models/User.ts';

/** All that is kept of a person, but the hash of the password: what one may ask for by law (GDPR, article 15). */
export async function exportOf(db: Database, user: User): Promise<object> {
  const { passwordHash: _, tokenVersion: __, ...account } = user.get({ plain: true });
  const parts = await Promise.all(
    Object.entries(kept).map(async ([name, statement]) => [name, await db.select(statement, [user.id])]),
  );
  return { exportedAt: new Date(), account, ...Object.fromEntries(parts) };
}

const kept: Readonly<Record<string, string>> = {
  chats: `
select chats.id, chats.kind, chats.name, member.role, member.joined_at as "joinedAt", member.read_seq as "readSeq"
from chat_members member join chats on chats.id = member.chat_id where member.user_id = $1 order by chats.id
`,
  messages: `
select id, chat_id as "chatId", seq, content, custom, created_at as "createdAt", edited_at as "editedAt"
from messages where sender_id = $1 and kind = 'text' and deleted_at is null order by id
`,
  earlierVersions: `
select message_id as "messageId", edit.version, edit.content, edit.created_at as "createdAt"
from messages join message_edits edit on edit.message_id = messages.id where sender_id = $1 order by 1, 2
`,
  reactions: `
select chat_id as "chatId", seq, emoji, created_at as "createdAt" from reactions where user_id = $1 order by 4
`,
  blocked:
    'select blocked_id as "userId", created_at as "createdAt" from blocks where user_id = $1 order by 2',
  reports: `
select message_id as "messageId", reason, content, created_at as "createdAt" from reports where reporter_id = $1 order by 4
`,
  sessions: `
select device, address, connected_at as "connectedAt", ended_at as "endedAt" from sessions where user_id = $1 order by 3
`,
};
