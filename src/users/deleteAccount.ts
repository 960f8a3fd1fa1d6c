import type { Actor } from '../chats/changeGroup.ts';
import { leave } from '../chats/leave.ts';
import type { User } from '../database/models/User.ts';
import type { ChatId, ConnectionId } from '../ids.ts';
import { userTopic } from '../socket/Connections.ts';
import { DELETED_USER } from './names.ts';

/** Connections are counted from 1. */
const NO_CONNECTION: ConnectionId = 0;

/**
 * Deletes an account: it leaves all groups, and every token and connection of it ends. Dialogs keep both people: the
 * other one goes on reading them. Interrupted, the rest is done the next time.
 */
export async function deleteAccount(
  user: User,
  { db, bus, writer }: Pick<Actor, 'db' | 'bus' | 'writer'>,
): Promise<void> {
  const actor = { session: { userId: user.id }, origin: NO_CONNECTION, db, bus, writer };
  for (const { id } of await db.select<{ id: ChatId }>(groupsOf, [user.id]))
    await leave(actor, id, DELETED_USER);
  const emptied = {
    ...{ email: null, username: null, passwordHash: null },
    ...{ displayName: null, about: null, avatar: null, custom: null },
  };
  await db.users.update(
    { ...emptied, deletedAt: new Date(), tokenVersion: user.tokenVersion + 1 },
    { where: { id: user.id } },
  );
  bus.publish(userTopic(user.id), { signal: { kind: 'revoked' } });
}

const groupsOf = `
select chats.id from chat_members join chats on chats.id = chat_members.chat_id
where chat_members.user_id = $1 and chats.kind = 'group' and chats.closed_at is null
order by chats.id
`;
