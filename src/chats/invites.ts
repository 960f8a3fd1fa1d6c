import type { ChatId, InviteId, UserId } from '../ids.ts';

/** The columns of `invites` that clients see, to be converted with `wire`. */
export const inviteFields = `
invites.id as "inviteId", invites.chat_id as "groupId", code, invites.created_by as "createdBy",
invites.expires_at as "expiresAt", max_uses as "maxUses", uses, invites.created_at as "createdAt"
`;

/** A row of {@link inviteFields}. */
export interface InviteRow {
  readonly inviteId: InviteId;
  readonly groupId: ChatId;
  readonly code: string;
  readonly createdBy: UserId;
  readonly expiresAt: Date | null;
  readonly maxUses: number | null;
  readonly uses: number;
  readonly createdAt: Date;
}

/**
 * An SQL condition on a row of `invites`: it is valid. An invite acts on behalf of its creator, so the creator must
 * currently be allowed to add members: as a member with a sufficient role whose account is neither disabled nor
 * deleted.
 */
export const isValidInvite = `
revoked_at is null and (expires_at is null or expires_at > clock_timestamp()) and (max_uses is null or uses < max_uses)
and exists (
  select from chat_members maker
  join chats on chats.id = maker.chat_id
  join users on users.id = maker.user_id
  where maker.chat_id = invites.chat_id and maker.user_id = invites.created_by
    and (chats.who_may_add = 'members' or maker.role <> 'member') and users.disabled_at is null
    and users.deleted_at is null
)
`;
