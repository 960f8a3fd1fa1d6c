import type { ChatId, UserId } from '../ids.ts';
import { nameOf } from '../users/names.ts';
import { changeGroup, type GroupActor, removeMembers } from './groupChange.ts';
import { setRole } from './targets.ts';

/**
 * Lets the acting user out of a group. An owner passes it on to the longest-serving admin, then member; the last
 * one out closes it. `name` is how the system message calls the user, where that is not the username.
 */
export async function leave(actor: GroupActor, groupId: ChatId, name?: string) {
  const { session, db } = actor;
  const { userId } = session;
  return changeGroup(actor, 'leaveGroup', groupId, async (change) => {
    const { transaction } = change;
    const isOwner = change.member().role === 'owner';
    await removeMembers(actor, change, userId);
    const said = `${name ?? nameOf(change.actor)} left the group`;
    const left = [userId];
    const [other] = await db.query<Other>(isOwner ? longestServing : anyMember, [groupId], transaction);
    if (!other) return { content: said, fields: { userId }, left, closes: true };
    if (!isOwner) return { content: said, fields: { userId }, left };

    await db.execute(setRole, [groupId, other.userId, 'owner'], transaction);
    const content = `${said}; ${nameOf(other)} owns it now`;
    return { content, fields: { userId, ownerId: other.userId }, left };
  });
}

interface Other {
  readonly userId: UserId;
  readonly username: string | null;
}

/** Of the admins by the index chat_members_ranked; without any, all members are read once. The name is looked up of one. */
const longestServing = `
select heir.user_id as "userId", (select username from users where id = heir.user_id) as username
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
) heir
order by rank
limit 1
`;

const anyMember = `
select user_id as "userId", null as username from chat_members where chat_id = $1 limit 1
`;
