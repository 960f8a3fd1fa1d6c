import { Type } from 'typebox';
import { type InviteRow, inviteFields, isValidInvite } from '../chats/invites.ts';
import { membershipInGroup } from '../chats/membership.ts';
import { wire } from '../database/wire.ts';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { Cursor, NextCursor, ROWS } from '../protocol/cursor.ts';
import { Invite } from '../protocol/schema/groups.ts';
import { IdOfGroup, Limit } from '../protocol/schema/types.ts';
import { defineRead } from './define.ts';

export const listInvites = defineRead({
  type: 'listInvites',
  summary: 'List the valid invites of a group, newest first',
  description: 'The owner and admins see all invites, other members only the invites that they created.',
  params: Type.Object({ groupId: IdOfGroup, limit: Limit, cursor: Cursor }),
  result: Type.Object({ data: Type.Array(Invite, ROWS), nextCursor: NextCursor }),
  cost: 1,
  managesGroup: true,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER'],
  async handle({ groupId, limit = DEFAULT_LIMIT, cursor }, { session, db, cursors }) {
    const { member } = await membershipInGroup(db, session.userId, groupId);
    const maker = member.role === 'member' ? session.userId : null;
    const before = cursors.idFrom(cursor, Number.MAX_SAFE_INTEGER);
    const rows = await db.query<InviteRow>(invitesOf, [groupId, before, maker, limit + 1]);
    return cursors.pageOf(rows.map(wire), limit, ({ inviteId }) => [inviteId]);
  },
});

/** $1 the group, $2 an id they are below, $3 who made them or null; by the index on (chat_id, id). */
const invitesOf = `
select ${inviteFields}
from invites
where chat_id = $1 and id < $2 and ($3::bigint is null or created_by = $3) and ${isValidInvite}
order by id desc
limit $4
`;
