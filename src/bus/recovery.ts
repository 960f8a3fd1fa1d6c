import { claimStands, claims, claimsOf } from '../auth/standing.ts';
import type { Database } from '../database/database.ts';
import type { UserId } from '../ids.ts';
import { type Connections, chatTopic, userTopic } from '../socket/Connections.ts';
import type { Bus, Place } from './bus.ts';

/**
 * Brings this node up to date after `since`, when it could not be told what happened on others: who may still be
 * connected, who is in which group, and how far the chats are.
 */
export async function recover(db: Database, bus: Bus, connections: Connections, since: Date): Promise<void> {
  const open = [...connections].filter(({ isListening }) => isListening);
  const userIds = [...new Set(open.map(({ session }) => session.userId))];
  const bind = [JSON.stringify(userIds), since];

  const claimed = JSON.stringify(open.map(({ id, session }) => claimsOf(id, session)));
  const fallen = await db.select<{ id: number }>(fallenTokens, [claimed]);
  const fallenIds = new Set(fallen.map(({ id }) => id));
  for (const connection of open) if (fallenIds.has(connection.id)) connections.revoke(connection);

  const groups = new Map<UserId, UserPlace[]>(userIds.map((userId) => [userId, []]));
  for (const place of await db.select<UserPlace>(groupsOfUsers, bind)) groups.get(place.userId)?.push(place);
  for (const connection of open) connections.regroup(connection, groups.get(connection.session.userId) ?? []);

  const known = new Map([...bus.groups()].map(({ chatId, last }) => [chatId, last ?? 0]));
  const heads = await db.select<Place>(headsOfGroups, [JSON.stringify([...known.keys()])]);
  for (const head of heads)
    if (head.seq > (known.get(head.chatId) ?? 0)) bus.catchUp(chatTopic(head.chatId), head);

  for (const { userId, ...head } of await db.select<UserPlace>(headsOfDialogs, bind))
    bus.catchUp(userTopic(userId), head);
}

interface UserPlace extends Place {
  readonly userId: UserId;
}

const fallenTokens = `
select claim.id from ${claims} where not exists (select from users where ${claimStands})
`;

/** Groups, and how far each was: of one that was joined since $2, before that. */
const groupsOfUsers = `
select member.user_id as "userId", chats.id as "chatId",
  case when member.joined_at > $2 then coalesce((
    select seq from messages where chat_id = chats.id and created_at < member.joined_at order by seq desc limit 1
  ), 0) else chats.last_seq end as seq
from jsonb_array_elements_text($1::jsonb) wanted
join chat_members member on member.user_id = wanted::bigint
join chats on chats.id = member.chat_id and chats.kind = 'group'
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
