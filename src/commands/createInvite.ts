import { randomBytes } from 'node:crypto';
import { Type } from 'typebox';
import { type InviteRow, inviteFields } from '../chats/invites.ts';
import { membershipInGroup, requireRole } from '../chats/membership.ts';
import { wire } from '../database/wire.ts';
import { ApiError } from '../protocol/errors.ts';
import { Invite } from '../protocol/schema/groups.ts';
import { IdOfGroup, Text } from '../protocol/schema/types.ts';
import { defineCommand } from './define.ts';

/** Bytes of chance in a code: nobody guesses one. */
const CODE_BYTES = 16;

export const createInvite = defineCommand({
  type: 'createInvite',
  summary: 'Create an invite code for a group',
  description:
    'Allowed for members who may add users. The code is valid as long as its creator may add users.',
  params: Type.Object({
    groupId: IdOfGroup,
    expiresInSeconds: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 366 * 86_400, description: 'Default: it does not expire' }),
    ),
    maxUses: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: 'Number of users who can join with it; default: unlimited',
      }),
    ),
    clientInviteId: Type.Optional(
      Text(
        1,
        64,
        'Unique per user. If the request is repeated, the invite is created once and the first reply is returned',
      ),
    ),
  }),
  result: Type.Object({ data: Invite }),
  repeatable: false,
  storesMessage: false,
  ordered: true,
  cost: 1,
  managesGroup: true,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'FORBIDDEN', 'CONFLICT'],
  async handle({ groupId, expiresInSeconds, maxUses = null, clientInviteId = null }, { session, db }) {
    const [known] = await db.query<InviteRow>(findInvite, [session.userId, clientInviteId]);
    if (known) return answerOf(known);
    const { chat, member } = await membershipInGroup(db, session.userId, groupId);
    if (chat.whoMayAdd === 'admins') requireRole(member, 'owner', 'admin');
    const code = randomBytes(CODE_BYTES).toString('base64url');
    const bind = [groupId, session.userId, clientInviteId, code, maxUses, expiresInSeconds ?? null];
    const [invite] = await db.execute<InviteRow>(insertInvite, bind);
    return answerOf(invite);

    function answerOf(invite: InviteRow | undefined) {
      if (invite?.groupId !== groupId)
        throw new ApiError('CONFLICT', 'This clientInviteId is already used for an invite to another group');
      return { data: wire(invite) };
    }
  },
});

const findInvite = `select ${inviteFields} from invites where created_by = $1 and client_invite_id = $2`;

/** Returns the invite that is there already when the client_invite_id of $2 is known; without one there is none. */
const insertInvite = `
insert into invites (chat_id, created_by, client_invite_id, code, max_uses, expires_at)
values ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(secs => $6))
on conflict (created_by, client_invite_id) do update set client_invite_id = excluded.client_invite_id
returning ${inviteFields}
`;
