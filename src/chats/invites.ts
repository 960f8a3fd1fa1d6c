import type { Static } from 'typebox';
import type { Invite } from '../database/models/Invite.ts';
import type { Invite as InviteSchema } from '../schema/groups.ts';

export function inviteRow(invite: Invite): Static<typeof InviteSchema> {
  const { id: inviteId, chatId: groupId, code, createdBy, maxUses, uses } = invite;
  return {
    inviteId,
    groupId,
    code,
    createdBy,
    expiresAt: invite.expiresAt?.toISOString() ?? null,
    maxUses,
    uses,
    createdAt: invite.createdAt.toISOString(),
  };
}
