import { Type } from 'typebox';

import { changeGroup, insertMembers } from '../chats/groupChange.ts';
import { isValidInvite } from '../chats/invites.ts';
import { ApiError } from '../protocol/errors.ts';
import { Changed, groupEvent } from '../protocol/schema/groups.ts';
import { described, Id, Text } from '../protocol/schema/types.ts';
import { nameOf } from '../users/names.ts';
import { defineCommand } from './define.ts';

export const joinByInvite = defineCommand({
  type: 'joinByInvite',
  summary: 'Join a group with the code of an invite',
  description:
    'An invite is valid as long as its creator may add users: not after the creator left or was removed, and not while only admins may add users and the creator is not an admin. For a user who is already a member, nothing changes and no use is counted.',
  params: Type.Object({ code: Text(1, 64, 'Invite code') }),
  result: Type.Object({ ...Changed.properties, groupId: Id.group }),
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 2,
  errors: ['NOT_FOUND', 'FORBIDDEN'],
  push: {
    summary: 'A user joined a group with an invite',
    fields: groupEvent({ userId: described(Id.user, 'The user who joined'), inviteId: Id.invite }),
  },
  async handle({ code }, context) {
    const { session, db } = context;
    const { userId } = session;
    const unusable = () => new ApiError('NOT_FOUND', 'This invite does not exist or is no longer valid');
    const invite = await db.invites.findOne({ where: { code } });
    if (!invite) throw unusable();
    const { id: inviteId, chatId: groupId } = invite;

    const done = await changeGroup(context, 'joinByInvite', groupId, async (change) => {
      const { transaction, actor, membership } = change;
      if (membership) return undefined;
      if (await db.bans.findOne({ where: { chatId: groupId, userId }, transaction }))
        throw new ApiError('FORBIDDEN', 'You are banned from this group');
      const [used] = await db.execute(useInvite, [inviteId], transaction);
      if (!used) throw unusable();
      await insertMembers(context, change, [userId]);
      const content = `${nameOf(actor)} joined the group by an invite`;
      return { content, fields: { userId, inviteId }, joined: [userId] };
    });
    return { ...done, groupId };
  },
});

/** Under the lock of the group, which every change of its members, roles and rules takes. */
const useInvite = `update invites set uses = uses + 1 where id = $1 and ${isValidInvite} returning id`;
