import { Type } from 'typebox';
import { membershipInGroup, requireRole } from '../chats/membership.ts';
import { databaseNow } from '../database/clock.ts';
import { ApiError } from '../protocol/errors.ts';
import { Empty, IdOfGroup, IdOfInvite } from '../protocol/schema/types.ts';
import { defineCommand } from './define.ts';

export const revokeInvite = defineCommand({
  type: 'revokeInvite',
  summary: 'Revoke an invite',
  description: 'Allowed for its creator, the owner and admins.',
  params: Type.Object({ groupId: IdOfGroup, inviteId: IdOfInvite }),
  result: Empty,
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 1,
  managesGroup: true,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'FORBIDDEN'],
  async handle({ groupId, inviteId }, { session, db }) {
    const { member } = await membershipInGroup(db, session.userId, groupId);
    const invite = await db.invites.findOne({ where: { id: inviteId, chatId: groupId } });
    if (!invite) throw new ApiError('NOT_FOUND', `There is no invite ${inviteId} to this group`);
    if (invite.createdBy !== session.userId) requireRole(member, 'owner', 'admin');
    await db.invites.update({ revokedAt: databaseNow }, { where: { id: inviteId, revokedAt: null } });
    return {};
  },
});
