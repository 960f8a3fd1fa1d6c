import { Type } from 'typebox';
import { membershipInGroup } from '../chats/membership.ts';
import { prepared } from '../database/statements.ts';
import { wire } from '../database/wire.ts';
import type { UserId } from '../ids.ts';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { Cursor, NextCursor, ROWS } from '../protocol/cursor.ts';
import { Role } from '../protocol/schema/groups.ts';
import { IsBot, Presence, ShownAvatar, ShownName } from '../protocol/schema/people.ts';
import { Id, IdOfGroup, Limit, Time, UserName } from '../protocol/schema/types.ts';
import { shownName } from '../users/names.ts';
import { defineRead } from './define.ts';

const { online, lastSeenAt } = Presence.properties;

export const listGroupMembers = defineRead({
  type: 'listGroupMembers',
  summary: 'List the members of a group',
  params: Type.Object({ groupId: IdOfGroup, role: Type.Optional(Role), limit: Limit, cursor: Cursor }),
  result: Type.Object({
    data: Type.Array(
      Type.Object(
        {
          userId: Id.user,
          username: UserName,
          displayName: ShownName,
          avatar: ShownAvatar,
          isBot: IsBot,
          role: Role,
          joinedAt: Time,
          online,
          lastSeenAt,
        },
        { title: 'Member', description: 'A member of a group, with presence' },
      ),
      ROWS,
    ),
    nextCursor: NextCursor,
  }),
  cost: 1,
  managesGroup: true,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER'],
  async handle(
    { groupId, role, limit = DEFAULT_LIMIT, cursor },
    { session: { userId }, db, presence, cursors },
  ) {
    await membershipInGroup(db, userId, groupId);
    const bind = [groupId, role ?? null, cursors.idFrom(cursor, 0), limit + 1];
    const isRanked = role !== undefined && role !== 'member';
    const rows = await db.query<Row>(isRanked ? rankedOfGroup : membersOfGroup, bind);
    const { data, nextCursor } = cursors.pageOf(rows.map(wire), limit, (row) => [row.userId]);
    const states = await presence.of(
      userId,
      data.map((row) => row.userId),
    );
    return {
      data: data.map((row, index) => ({ ...row, ...(states[index] as (typeof states)[number]) })),
      nextCursor,
    };
  },
});

interface Row {
  readonly userId: UserId;
  readonly username: string;
  readonly displayName: string | null;
  readonly avatar: string | null;
  readonly isBot: boolean;
  readonly role: 'owner' | 'admin' | 'member';
  readonly joinedAt: Date;
}

/** Along the members of the group $1, in the order of the ids, from the user $3 on: those with the role $2, or all. */
const membersWhere = (condition: string) => `
select member.user_id as "userId", ${shownName('username')} as username, display_name as "displayName", avatar, is_bot as "isBot", role,
  joined_at as "joinedAt"
from chat_members member
cross join lateral (select username, display_name, avatar, is_bot from users where id = member.user_id limit 1) person
where chat_id = $1 and ($2::text is null or role = $2) and user_id > $3 and ${condition}
order by user_id
limit $4
`;

/** By the primary key. */
const membersOfGroup = prepared('members of group', membersWhere('true'));
/** Of the owner and admins, who are few: index chat_members_ranked. */
const rankedOfGroup = prepared('ranked members of group', membersWhere(`role <> 'member'`));
