import { Op } from 'sequelize';
import { Type } from 'typebox';
import { inviteRow } from '../chats/invites.ts';
import { seatInGroup } from '../chats/seats.ts';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { Cursor, idFrom, NextCursor, pageOf } from '../schema/cursor.ts';
import { Invite } from '../schema/groups.ts';
import { Id, Limit } from '../schema/types.ts';
import { defineCommand } from './define.ts';

export const listInvites = defineCommand({
  type: 'listInvites',
  summary: 'List the invites of a group that still let people in, newest first',
  description: 'The owner and admins see all, members their own.',
  params: Type.Object({ groupId: Id, limit: Limit, cursor: Cursor }),
  result: Type.Object({ data: Type.Array(Invite), nextCursor: NextCursor }),
  errors: ['NOT_FOUND', 'NOT_A_MEMBER'],
  async handle({ groupId, limit = DEFAULT_LIMIT, cursor }, { session, db }) {
    const { member } = await seatInGroup(db, session.userId, groupId);
    const invites = await db.invites.findAll({
      where: {
        chatId: groupId,
        id: { [Op.lt]: idFrom(cursor, Number.MAX_SAFE_INTEGER) },
        revokedAt: null,
        ...(member.role === 'member' && { createdBy: session.userId }),
        [Op.and]: [
          { expiresAt: { [Op.or]: [null, { [Op.gt]: new Date() }] } },
          { maxUses: { [Op.or]: [null, { [Op.gt]: db.sequelize.col('uses') }] } },
        ],
      },
      order: [['id', 'desc']],
      limit: limit + 1,
    });
    return pageOf(invites.map(inviteRow), limit, ({ inviteId }) => [inviteId]);
  },
});
