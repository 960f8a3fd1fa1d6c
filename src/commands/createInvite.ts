import { randomBytes } from 'node:crypto';
import { Type } from 'typebox';
import { inviteRow } from '../chats/invites.ts';
import { assertRole, seatInGroup } from '../chats/seats.ts';
import { ApiError } from '../errors.ts';
import { Invite } from '../schema/groups.ts';
import { Id, Text } from '../schema/types.ts';
import { defineCommand } from './define.ts';

/** Bytes of chance in a code: nobody guesses one. */
const CODE_BYTES = 16;

export const createInvite = defineCommand({
  type: 'createInvite',
  summary: 'Make a code that lets people into a group',
  description: 'For whom the group lets add people.',
  params: Type.Object({
    groupId: Id,
    expiresInSeconds: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 366 * 86_400, description: 'Left out: it does not expire' }),
    ),
    maxUses: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: 'People it lets in; left out: any number',
      }),
    ),
    clientInviteId: Type.Optional(
      Text(1, 64, 'Unique per user: sent again, the invite is made once and the first answer comes back'),
    ),
  }),
  result: Type.Object({ data: Invite }),
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'FORBIDDEN', 'CONFLICT'],
  async handle({ groupId, expiresInSeconds, maxUses = null, clientInviteId = null }, { session, db }) {
    const { chat, member } = await seatInGroup(db, session.userId, groupId);
    if (chat.whoMayAdd === 'admins') assertRole(member, 'owner', 'admin');
    const invite = {
      chatId: groupId,
      createdBy: session.userId,
      clientInviteId,
      code: randomBytes(CODE_BYTES).toString('base64url'),
      maxUses,
      expiresAt: expiresInSeconds === undefined ? null : new Date(Date.now() + expiresInSeconds * 1000),
    };
    if (clientInviteId === null) {
      const created = await db.invites.create(invite);
      return { data: inviteRow(await created.reload()) };
    }
    const where = { createdBy: session.userId, clientInviteId };
    const [created] = await db.invites.findOrCreate({ where, defaults: invite });
    if (created.chatId !== groupId)
      throw new ApiError('CONFLICT', 'This clientInviteId stands for another group');
    return { data: inviteRow(await created.reload()) };
  },
});
