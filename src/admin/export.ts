import type { Database } from '../database/database.ts';
import type { User } from '../database/models/User.ts';
import { inSpans, throughWritten, writtenInSpan } from './written.ts';

/** All that is kept of a person, but the hash of the password: what one may ask for by law (GDPR, article 15). */
export async function exportOf(db: Database, user: User): Promise<object> {
  const {
    passwordHash,
    tokenVersion,
    emailFolded,
    usernameFolded,
    usernameSearch,
    displayNameSearch,
    ...account
  } = user.get({ plain: true });
  const parts: Record<string, object[]> = {};
  for (const [name, statement] of Object.entries(kept)) parts[name] = await db.select(statement, [user.id]);
  for (const [name, statement] of Object.entries(written)) {
    parts[name] = [];
    for await (const rows of throughWritten(db, user.id, statement)) parts[name].push(...rows);
  }
  const [exported] = await db.select<{ at: Date }>('select clock_timestamp() as at', []);
  return { exportedAt: exported?.at, account, ...parts };
}

/** Statements that find rows by the user. */
const kept: Readonly<Record<string, string>> = {
  chats: `
select chats.id, chats.kind, chats.name, member.role, member.joined_at as "joinedAt", member.read_seq as "readSeq"
from chat_members member join chats on chats.id = member.chat_id where member.user_id = $1 order by chats.id
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

/** Statements that find rows chat by chat. */
const written: Readonly<Record<string, string>> = {
  messages: `
select id, chat_id as "chatId", seq, content, custom, created_at as "createdAt", edited_at as "editedAt"
from ${inSpans} cross join lateral ${writtenInSpan} message
where deleted_at is null
order by chat_id, seq
`,
  earlierVersions: `
select message_id as "messageId", edit.version, edit.content, edit.created_at as "createdAt"
from ${inSpans} cross join lateral ${writtenInSpan} message
cross join lateral (select * from message_edits where message_id = message.id offset 0) edit
order by 1, 2
`,
  reactions: `
select chat_id as "chatId", seq, emoji, created_at as "createdAt"
from ${inSpans} cross join lateral (
  select * from reactions where chat_id = span.chat and seq > span.after and seq <= span.to and user_id = $1 offset 0
) reaction
order by chat_id, seq, created_at
`,
};
