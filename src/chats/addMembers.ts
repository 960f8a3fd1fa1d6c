import type { User } from '../database/models/User.ts';
import type { UserId } from '../ids.ts';
import { ApiError } from '../protocol/errors.ts';
import { type GroupChange, insertMembers, type MemberLimits } from './groupChange.ts';

/**
 * Adds users to a group on behalf of a member: all or none. Refuses with `NOT_FOUND`, `ALREADY_A_MEMBER`, or with
 * `FORBIDDEN` if one of them is banned or has blocked the acting user.
 */
export async function addMembers(
  context: MemberLimits,
  change: Pick<GroupChange, 'transaction' | 'group' | 'actor'>,
  userIds: readonly UserId[],
): Promise<User[]> {
  const { db } = context;
  const { transaction, group, actor } = change;
  const users = await db.users.findAll({ where: { id: [...userIds], deletedAt: null }, transaction });
  const userOf = new Map(users.map((user) => [user.id, user]));
  const added = userIds.map((id) => {
    const user = userOf.get(id);
    if (!user) throw new ApiError('NOT_FOUND', `There is no user ${id}`);
    return user;
  });

  const ids = JSON.stringify(userIds);
  const [reason] = await db.query<Reason>(obstacles, [group.id, ids, actor.id], transaction);
  if (reason?.member) throw new ApiError('ALREADY_A_MEMBER');
  if (reason?.banned) throw new ApiError('FORBIDDEN', `User ${reason.id} is banned from this group`);
  if (reason) throw new ApiError('FORBIDDEN');
  await insertMembers(context, change, userIds);
  return added;
}

interface Reason {
  readonly id: UserId;
  readonly member: boolean;
  readonly banned: boolean;
}

/** Finds one of the users $2 that $3 cannot add to the group $1, if any. */
const obstacles = `
select id, member, banned
from jsonb_array_elements_text($2::jsonb) as input (text)
cross join lateral (
  select text::bigint as id,
    exists (select from chat_members where chat_id = $1 and user_id = text::bigint) as member,
    exists (select from bans where chat_id = $1 and user_id = text::bigint) as banned,
    exists (select from blocks where user_id = text::bigint and blocked_id = $3) as blocked
) reason
where member or banned or blocked
limit 1
`;
