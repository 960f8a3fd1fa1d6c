import type { ChatId, UserId } from '../ids.ts';
import { nameOf } from '../users/names.ts';
import { changeGroup, type GroupActor, removeMembers } from './groupChange.ts';
import { setRole } from './ranks.ts';

/**
 * Removes the acting user from a group. Ownership passes to the longest-serving admin, or else member; the last member
 * closes the group. `name` replaces the username in the system message.
 */
export async function leave(actor: GroupActor, groupId: ChatId, name?: string) {
  const { session, db } = actor;
  const { userId } = session;
  return changeGroup(actor, 'leaveGroup', groupId, async (change) => {
    const { transaction } = change;
    const isOwner = change.member().role === 'owner';
    await removeMembers(actor, change, userId);
    const sentence = `${name ?? nameOf(change.actor)} left the group`;
    const left = [userId];
    const [other] = await db.query<Other>(isOwner ? longestServing : anyMember, [groupId], transaction);
    if (!other) return { content: sentence, fields: { userId }, left, closes: true };
    if (!isOwner) return { content: sentence, fields: { userId }, left };

    await db.execute(setRole, [groupId, other.userId, 'owner'], transaction);
    const content = `${sentence}; ${nameOf(other)} owns it now`;
    return { content, fields: { userId, ownerId: other.userId }, left };
  });
}

interface Other {
  readonly userId: UserId;
  readonly username: string | null;
}

/**
 * Finds the admin by the index chat_members_ranked; without admins, reads all members once. Reads the name of the
 * result only.
 */
const longestServing = `
select successor.user_id as "userId", (select username from users where id = successor.user_id) as username
from (
  (
    select 0 as rank, user_id from chat_members where chat_id = $1 and role <> 'member' and role = 'admin'
    order by joined_at, user_id limit 1
  )
  union all
  (
    select 1, user_id from chat_members where chat_id = $1 and role <> 'admin' and (
      select true from chat_members where chat_id = $1 and role <> 'member' and role = 'admin' limit 1
    ) is null
    order by joined_at, user_id limit 1
  )
) successor
order by rank
limit 1
`;

const anyMember = `
select user_id as "userId", null as username from chat_members where chat_id = $1 limit 1
`;
