import type { Database } from '../database/database.ts';
import type { User } from '../database/models/User.ts';
import type { UserId } from '../ids.ts';
import { inSpans, throughWritten, writtenInSpan } from './writtenMessages.ts';

/**
 * Generates all stored data of a user except the password hash as JSON, as required by law (GDPR, article 15). It is
 * generated in parts, so that memory holds no more than the rows of one statement.
 */
export async function* exportOf(db: Database, user: User): AsyncGenerator<string> {
  const {
    passwordHash,
    tokenVersion,
    profileVersion,
    emailFolded,
    usernameFolded,
    usernameSearch,
    displayNameSearch,
    ...account
  } = user.get({ plain: true });
  const [exported] = await db.query<{ at: Date }>('select clock_timestamp() as at', []);
  yield `{\n"exportedAt": ${JSON.stringify(exported?.at)},\n"account": ${JSON.stringify(account)}`;
  for (const [name, statement] of Object.entries(statementsByUser))
    yield* listOf(name, rowsOfUser(db, user.id, statement));
  for (const [name, statement] of Object.entries(statementsByChat))
    yield* listOf(name, throughWritten(db, user.id, statement));
  yield '\n}\n';
}

/** Generates a list as a further property of a JSON object, with one row per line. */
async function* listOf(name: string, slices: AsyncIterable<readonly object[]>): AsyncGenerator<string> {
  let before = `,\n${JSON.stringify(name)}: [\n`;
  for await (const rows of slices)
    if (rows.length > 0) {
      yield before + rows.map((row) => JSON.stringify(row)).join(',\n');
      before = ',\n';
    }
  yield before === ',\n' ? '\n]' : `${before}]`;
}

/** Rows per statement. */
const SLICE = 1_000;

/** Runs a statement of {@link statementsByUser} slice by slice. */
async function* rowsOfUser(db: Database, userId: UserId, statement: string): AsyncGenerator<object[]> {
  for (let after = 0, isDone = false; !isDone; ) {
    const rows = await db.query<{ position: number }>(statement, [userId, after, SLICE]);
    yield rows.map(({ position: _, ...row }) => row);
    after = rows.at(-1)?.position ?? after;
    isDone = rows.length < SLICE;
  }
}

/** Statements that find rows of user $1 ordered by `position`: the first $3 after $2. */
export const statementsByUser: Readonly<Record<string, string>> = {
  chats: `
select chats.id as position, chats.id, chats.kind, chats.name, member.role, member.joined_at as "joinedAt",
  member.read_seq as "readSeq"
from chat_members member
cross join lateral (select id, kind, name from chats where id = member.chat_id and closed_at is null limit 1) chats
where member.user_id = $1 and member.chat_id > $2 order by member.chat_id limit $3
`,
  formerChats: `
select chat_id as position, chat_id as id, left_at as "leftAt"
from former_members where user_id = $1 and chat_id > $2 order by chat_id limit $3
`,
  bans: `
select chat_id as position, chat_id as "chatId", reason, created_at as "createdAt"
from bans where user_id = $1 and chat_id > $2 order by chat_id limit $3
`,
  // without the codes, because anybody with a code can join
  invites: `
select id as position, id, chat_id as "chatId", uses, max_uses as "maxUses", created_at as "createdAt",
  expires_at as "expiresAt", revoked_at as "revokedAt"
from invites where created_by = $1 and id > $2 order by id limit $3
`,
  blocked: `
select blocked_id as position, blocked_id as "userId", created_at as "createdAt"
from blocks where user_id = $1 and blocked_id > $2 order by blocked_id limit $3
`,
  reports: `
select id as position, message_id as "messageId", reason, content, created_at as "createdAt"
from reports where reporter_id = $1 and id > $2 order by id limit $3
`,
  sessions: `
select id as position, device, address, connected_at as "connectedAt", ended_at as "endedAt"
from sessions where user_id = $1 and id > $2 order by id limit $3
`,
};

/** Statements that find rows of a user by chat, see {@link throughWritten}. */
export const statementsByChat: Readonly<Record<string, string>> = {
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
  pins: `
select chat_id as "chatId", seq, pinned_at as "pinnedAt"
from ${inSpans} cross join lateral (
  select * from pins where chat_id = span.chat and seq > span.after and seq <= span.to and pinned_by = $1 offset 0
) pin
order by chat_id, seq
`,
  reactions: `
select chat_id as "chatId", seq, emoji, created_at as "createdAt"
from ${inSpans} cross join lateral (
  select * from reactions where chat_id = span.chat and seq > span.after and seq <= span.to and user_id = $1 offset 0
) reaction
order by chat_id, seq, created_at
`,
};
