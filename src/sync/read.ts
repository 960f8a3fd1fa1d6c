import type { Static } from 'typebox';
import { groupRow } from '../chats/groups.ts';
import { addressOf } from '../chats/seats.ts';
import { otherColumns, type StateRow, stateColumns } from '../chats/state.sql.ts';
import type { Queries } from '../database/database.ts';
import type { Role } from '../database/models/ChatMember.ts';
import { wire } from '../database/wire.ts';
import type { ChatId, UserId } from '../ids.ts';
import { PAGE_BYTES } from '../limits.ts';
import { type MessageRow, messageOf, selectMessagesAnd } from '../messages/read.ts';
import { fitting } from '../schema/page.ts';
import type { Change } from '../schema/sync.ts';
import { nameOf } from '../users/names.ts';
import { type ChangeRow, RANK, type RenameRow, seen } from './changes.sql.ts';

/**
 * Reads the present state of what changed, in the same order, as far as it fits into a page: of the first `read` rows.
 * What is gone meanwhile is left out: it changed again.
 */
export async function readChanges(
  db: Queries,
  userId: UserId,
  since: string | null,
  rows: readonly (ChangeRow | RenameRow)[],
): Promise<{ data: Static<typeof Change>[]; read: number }> {
  const of = (rank: ChangeRow['rank']) => rows.filter((row): row is ChangeRow => row.rank === rank);
  const renames = rows.filter((row): row is RenameRow => row.rank === RANK.user);
  const [users, { messages, end }, chats, members] = await Promise.all([
    readUsers(db, renames),
    readMessages(db, userId, since, of(RANK.message)),
    readChats(db, userId, of(RANK.chat)),
    readMembers(db, of(RANK.member)),
  ]);
  const changes = fitting(rows.slice(0, end && rows.indexOf(end) + 1).map(changeOf));
  return { data: changes.flat(), read: changes.length };

  function changeOf(row: ChangeRow | RenameRow): Static<typeof Change>[] {
    if (row.rank === RANK.user) return users.get(`${row.userId}`) ?? [];
    const { chatId: groupId, rank, at } = row;
    switch (rank) {
      case RANK.left:
        return [{ kind: 'left', groupId }];
      case RANK.memberLeft:
        return [{ kind: 'memberLeft', groupId, userId: at }];
      case RANK.chat:
        return chats.get(groupId) ?? [];
      case RANK.member:
        return members.get(`${groupId}:${at}`) ?? [];
      case RANK.message:
        return messages.get(`${groupId}:${at}`) ?? [];
    }
  }
}

type Changes = Map<string, Static<typeof Change>[]>;

async function readUsers(db: Queries, renames: readonly RenameRow[]): Promise<Changes> {
  const ids = renames.filter(({ isShared }) => isShared).map(({ userId }) => userId);
  if (ids.length === 0) return new Map();
  const users = await db.users.findAll({ where: { id: ids } });
  return new Map(
    users.map((user) => [`${user.id}`, [{ kind: 'user', userId: user.id, username: nameOf(user) }]]),
  );
}

async function readMessages(
  db: Queries,
  userId: UserId,
  since: string | null,
  wanted: readonly ChangeRow[],
): Promise<{ messages: Changes; end: ChangeRow | undefined }> {
  if (wanted.length === 0) return { messages: new Map(), end: undefined };
  const bind = [userId, since, JSON.stringify(wanted), PAGE_BYTES];
  const rows = await db.select<WantedRow>(messagesAt, bind);
  const last = rows.at(-1);
  return {
    messages: new Map(
      rows.map(({ isNew, place: _, bytes: __, ...row }) => [
        `${row.chatId}:${row.seq}`,
        [{ kind: 'message', message: messageOf(row), isNew }],
      ]),
    ),
    end: last && last.bytes >= PAGE_BYTES ? wanted[last.place - 1] : undefined,
  };
}

interface WantedRow extends MessageRow {
  readonly isNew: boolean;
  /** Its place among those wanted, from 1. */
  readonly place: number;
  /** Of the contents up to and with this one. */
  readonly bytes: number;
}

/**
 * With a limit, so that each is looked up by its key whatever PostgreSQL expects of the list; and no further than $4
 * bytes of content, so that a page of the longest messages is not read to be thrown away.
 */
const messagesAt = `${selectMessagesAnd(
  `, not ${seen('message.xid')} as "isNew", message.place, message.bytes`,
  `(
  select found.*, wanted.place, sum(octet_length(found.content)) over (order by wanted.place) as bytes
  from rows from (jsonb_to_recordset($3::jsonb) as ("chatId" bigint, at bigint))
    with ordinality as wanted ("chatId", at, place)
  cross join lateral (select * from messages where chat_id = wanted."chatId" and seq = wanted.at limit 1) found
)`,
)}
where message.bytes - octet_length(message.content) < $4
order by message.place
`;

async function readMembers(db: Queries, wanted: readonly ChangeRow[]): Promise<Changes> {
  if (wanted.length === 0) return new Map();
  const rows = await db.select<{ groupId: ChatId; userId: UserId; username: string; role: Role }>(membersAt, [
    JSON.stringify(wanted),
  ]);
  return new Map(rows.map((row) => [`${row.groupId}:${row.userId}`, [{ kind: 'member', ...row }]]));
}

const membersAt = `
select member.chat_id as "groupId", member.user_id as "userId", coalesce(username, 'Deleted user') as username, role
from jsonb_to_recordset($1::jsonb) as wanted ("chatId" bigint, at bigint)
join chat_members member on member.chat_id = "chatId" and member.user_id = at
join users on users.id = member.user_id
`;

async function readChats(
  db: Queries,
  userId: UserId,
  wanted: readonly ChangeRow[],
): Promise<Map<ChatId, Static<typeof Change>[]>> {
  if (wanted.length === 0) return new Map();
  const ids = wanted.map(({ chatId }) => chatId);
  const [states, chats] = await Promise.all([
    db.select<ChatRow>(chatsAt, [userId, JSON.stringify(ids)]),
    db.chats.findAll({ where: { id: ids } }),
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
      return [[chat.id, [change as Static<typeof Change>]]];
    }),
  );
}

interface ChatRow extends StateRow {
  readonly chatId: ChatId;
  readonly role: Role;
  readonly lastSeq: number;
  readonly otherReadSeq: number | undefined;
  readonly otherDeliveredSeq: number | undefined;
}

const chatsAt = `
select chat.id as "chatId", member.role, chat.last_seq as "lastSeq",
  ${otherColumns}, ${stateColumns}
from chat_members member
join chats chat on chat.id = member.chat_id
left join chat_members other
  on chat.kind = 'dialog' and other.chat_id = chat.id and other.user_id = chat.user_low + chat.user_high - $1
where member.user_id = $1 and chat.closed_at is null and member.chat_id = any (array(select jsonb_array_elements_text($2::jsonb)::bigint))
`;
