import type { Static } from 'typebox';
import { type GroupColumns, groupColumns, groupRow } from '../chats/groups.ts';
import { otherColumns, type StateRow, stateColumns } from '../chats/memberState.sql.ts';
import { addressOf, type NamedChat } from '../chats/membership.ts';
import type { Queries } from '../database/database.ts';
import type { Role } from '../database/models/ChatMember.ts';
import type { User } from '../database/models/User.ts';
import { prepared } from '../database/statements.ts';
import { wire } from '../database/wire.ts';
import type { ChatId, UserId } from '../ids.ts';
import { PAGE_BYTES } from '../limits.ts';
import { type MessageRow, messageOf, selectMessagesAnd } from '../messages/read.ts';
import type { Message } from '../protocol/schema/messages.ts';
import { fitting } from '../protocol/schema/page.ts';
import type { Change } from '../protocol/schema/sync.ts';
import { nameOf, nameOfUser } from '../users/names.ts';
import { otherInSql } from '../users/pairs.ts';
import type { ChangeRow } from './find.ts';
import { STAGE, type Stage } from './syncCursor.ts';

/**
 * Reads the current state of changed rows in the same order, as far as they fit into a page: `read` is the number of
 * rows used. Rows that no longer exist are omitted, because they have changed again.
 */
export async function readChanges(
  db: Queries,
  userId: UserId,
  rows: readonly ChangeRow[],
): Promise<{ data: Static<typeof Change>[]; read: number }> {
  const of = (...stages: readonly Stage[]) => rows.filter(({ stage }) => stages.includes(stage));
  const [users, { messages, end }, chats, members] = await Promise.all([
    readUsers(db, of(STAGE.name)),
    readMessages(db, userId, of(STAGE.changed, STAGE.lateChanged, STAGE.message)),
    readChats(db, userId, of(STAGE.chat)),
    readMembers(db, of(STAGE.member, STAGE.lateMember)),
  ]);
  const changes = fitting(rows.slice(0, end && rows.indexOf(end) + 1).map((row) => changeOf(row) ?? null));
  return { data: changes.filter((change) => change !== null), read: changes.length };

  function changeOf({ chatId: groupId, stage, at }: ChangeRow): Static<typeof Change> | undefined {
    switch (stage) {
      case STAGE.name:
        return users.get(at);
      case STAGE.left:
        return { kind: 'left', groupId: at };
      case STAGE.chat:
        return chats.get(groupId);
      case STAGE.member:
      case STAGE.lateMember:
        return members.get(`${groupId}:${at}`);
      case STAGE.memberLeft:
      case STAGE.lateMemberLeft:
        return { kind: 'memberLeft', groupId, userId: at };
      case STAGE.changed:
      case STAGE.lateChanged:
      case STAGE.message: {
        const message = messages.get(`${groupId}:${at}`);
        return message && { kind: 'message', message, isNew: stage === STAGE.message };
      }
    }
  }
}

async function readUsers(
  db: Queries,
  requested: readonly ChangeRow[],
): Promise<Map<number, Static<typeof Change>>> {
  if (requested.length === 0) return new Map();
  const rows = await db.query<Pick<User, 'id' | 'username' | 'profileVersion'>>(namesOf, [
    requested.map(({ at }) => at),
  ]);
  return new Map(
    rows.map((user) => {
      const { id: userId, profileVersion: version } = user;
      return [userId, { kind: 'user', userId, username: nameOf(user), version }];
    }),
  );
}

/** Uses the key of users. */
const namesOf = prepared(
  'sync: names',
  `
select id, username, profile_version as "profileVersion" from unnest($1::bigint[]) as requested (user_id)
cross join lateral (select id, username, profile_version from users where id = requested.user_id limit 1) found
`,
);

async function readMessages(
  db: Queries,
  userId: UserId,
  requested: readonly ChangeRow[],
): Promise<{ messages: Map<string, Static<typeof Message>>; end: ChangeRow | undefined }> {
  if (requested.length === 0) return { messages: new Map(), end: undefined };
  const rows = await db.query<RequestedRow>(messagesAt, [userId, ...positionsOf(requested), PAGE_BYTES]);
  const last = rows.at(-1);
  return {
    messages: new Map(rows.map((row) => [`${row.chatId}:${row.seq}`, messageOf(row)])),
    end: last && last.bytes >= PAGE_BYTES ? requested[last.position - 1] : undefined,
  };
}

/** Returns two arrays: the chats, and the ids within them. */
const positionsOf = (requested: readonly ChangeRow[]): [number[], number[]] => [
  requested.map(({ chatId }) => chatId),
  requested.map(({ at }) => at),
];

interface RequestedRow extends MessageRow {
  /** Its index among the requested ones, from 1. */
  readonly position: number;
  /** Bytes of the contents up to and including this one. */
  readonly bytes: number;
}

/**
 * Reads requested messages. The inner limit makes PostgreSQL use the key for each, regardless of its estimates. Stops
 * after $4 bytes of content, so that a page of the longest messages is not read in vain.
 */
export const messagesAt = prepared(
  'sync: messages',
  `${selectMessagesAnd(
    ', message.position, message.bytes',
    `(
  select found.*, requested.position, sum(octet_length(found.content)) over (order by requested.position) as bytes
  from unnest($2::bigint[], $3::bigint[]) with ordinality as requested (chat_id, at, position)
  cross join lateral (select * from messages where chat_id = requested.chat_id and seq = requested.at limit 1) found
)`,
  )}
where message.bytes - octet_length(message.content) < $4
order by message.position
`,
);

async function readMembers(
  db: Queries,
  requested: readonly ChangeRow[],
): Promise<Map<string, Static<typeof Change>>> {
  if (requested.length === 0) return new Map();
  const rows = await db.query<MemberRow>(membersAt, positionsOf(requested));
  return new Map(rows.map((row) => [`${row.groupId}:${row.userId}`, { kind: 'member', ...row }]));
}

interface MemberRow {
  readonly groupId: ChatId;
  readonly userId: UserId;
  readonly username: string;
  readonly role: Role;
}

/** Uses the keys of chat_members and users. */
const membersAt = prepared(
  'sync: members',
  `
select requested.chat_id as "groupId", requested.at as "userId", role,
  ${nameOfUser('requested.at')} as username
from unnest($1::bigint[], $2::bigint[]) as requested (chat_id, at)
cross join lateral (select role from chat_members where chat_id = requested.chat_id and user_id = requested.at limit 1) member
`,
);

async function readChats(
  db: Queries,
  userId: UserId,
  requested: readonly ChangeRow[],
): Promise<Map<number, Static<typeof Change>>> {
  if (requested.length === 0) return new Map();
  const ids = requested.map(({ chatId }) => chatId);
  const [states, chats] = await Promise.all([
    db.query<ChatStateRow>(chatStates, [userId, ids]),
    db.query<NamedChat & GroupColumns>(chatsById, [ids]),
  ]);
  const stateOf = new Map(states.map((state) => [state.chatId, state]));
  return new Map(
    chats.flatMap((chat) => {
      const row = stateOf.get(chat.id);
      if (!row) return [];
      const { chatId: _, role, lastSeq, otherReadSeq, otherDeliveredSeq, ...state } = row;
      const { role: _role, groupId: _groupId, ...group } = groupRow(chat, role);
      const change = {
        kind: 'chat' as const,
        ...addressOf(chat, userId),
        ...(chat.kind === 'group' ? { group } : { otherReadSeq, otherDeliveredSeq }),
        role,
        lastSeq,
        ...wire(state),
      };
      return [[chat.id, change as Static<typeof Change>]];
    }),
  );
}

interface ChatStateRow extends StateRow {
  readonly chatId: ChatId;
  readonly role: Role;
  readonly lastSeq: number;
  readonly otherReadSeq: number | undefined;
  readonly otherDeliveredSeq: number | undefined;
}

/** Reads the states of the user $1 in the chats $2, by the keys of chat_members and chats. */
const chatStates = prepared(
  'sync: states of chats',
  `
select chat.id as "chatId", member.role, chat.last_seq as "lastSeq", ${otherColumns}, ${stateColumns}
from unnest($2::bigint[]) as requested (id)
cross join lateral (select * from chats where id = requested.id limit 1) chat
cross join lateral (select * from chat_members where chat_id = requested.id and user_id = $1 limit 1) member
left join lateral (
  select * from chat_members
  where chat.kind = 'dialog' and chat_id = requested.id and user_id = ${otherInSql('chat', '$1')}
  limit 1
) other on true
`,
);

/** Reads the chats $1 by key. */
const chatsById = prepared(
  'sync: chats',
  `
select chat.id, kind, user_low as "userLow", user_high as "userHigh", ${groupColumns}
from unnest($1::bigint[]) as requested (id)
cross join lateral (select * from chats where id = requested.id limit 1) chat
`,
);
