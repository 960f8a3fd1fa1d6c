import { claimStands, claims, claimsOf } from '../auth/standing.ts';
import type { Database } from '../database/database.ts';
import type { ChatId, UserId } from '../ids.ts';
import type { Connections } from '../socket/Connections.ts';
import { chatTopic, userTopic } from '../socket/Connections.ts';
import type { OrderedBus } from './ordered.ts';

/** Milliseconds by which clocks of nodes and database may differ, and by which an outage is noticed late. */
const MARGIN = 10_000;

/**
 * Brings this node up to date after `since`, when it could not be told what happened on others: who may still be
 * connected, who is in which group, and how far the chats are.
 */
export async function recover(
  db: Database,
  bus: OrderedBus,
  connections: Connections,
  since: Date,
): Promise<void> {
  const open = [...connections].filter(({ isListening }) => isListening);
  await revoke(db, connections, open);
  await join(db, open, connections);

  const known = new Map([...bus.groups()].map(({ chatId, last }) => [chatId, last ?? 0]));
  const heads = await db.select<{ chatId: ChatId; seq: number }>(headsOfGroups, [
    JSON.stringify([...known.keys()]),
  ]);
  for (const head of heads)
    if (head.seq > (known.get(head.chatId) ?? 0)) bus.catchUp(chatTopic(head.chatId), head);

  const userIds = [...new Set(open.map(({ session }) => session.userId))];
  const dialogs = await db.select<{ userId: UserId; chatId: ChatId; seq: number }>(headsOfDialogs, [
    JSON.stringify(userIds),
    new Date(since.getTime() - MARGIN),
  ]);
  for (const { userId, ...head } of dialogs) bus.catchUp(userTopic(userId), head);
}

type Open = Connections extends Iterable<infer Connection> ? readonly Connection[] : never;

async function revoke(db: Database, connections: Connections, open: Open): Promise<void> {
  const bind = [JSON.stringify(open.map(({ id, session }) => claimsOf(id, session)))];
  const fallen = await db.select<{ id: number }>(fallenTokens, bind);
  const ids = new Set(fallen.map(({ id }) => id));
  for (const connection of open) if (ids.has(connection.id)) connections.revoke(connection);
}

async function join(db: Database, open: Open, connections: Connections): Promise<void> {
  const userIds = [...new Set(open.map(({ session }) => session.userId))];
  const rows = await db.select<{ userId: UserId; groups: number[] }>(groupsOfUsers, [
    JSON.stringify(userIds),
  ]);
  const groupsOf = new Map(rows.map(({ userId, groups }) => [userId, groups]));
  for (const connection of open)
    connections.regroup(connection, groupsOf.get(connection.session.userId) ?? []);
}

const fallenTokens = `
select claim.id from ${claims} where not exists (select from users where ${claimStands})
`;

const groupsOfUsers = `
select member.user_id as "userId", array_agg(chats.id) as groups
from jsonb_array_elements_text($1::jsonb) wanted
join chat_members member on member.user_id = wanted::bigint
join chats on chats.id = member.chat_id and chats.kind = 'group'
group by member.user_id
`;

const headsOfGroups = `
select id as "chatId", last_seq as seq
from chats where id = any (array(select jsonb_array_elements_text($1::jsonb)::bigint))
`;

const headsOfDialogs = `
select member.user_id as "userId", chats.id as "chatId", chats.last_seq as seq
from jsonb_array_elements_text($1::jsonb) wanted
join chat_members member on member.user_id = wanted::bigint
join chats on chats.id = member.chat_id and chats.kind = 'dialog' and chats.last_message_at > $2
`;
