import type { Transaction } from 'sequelize';
import { Type } from 'typebox';

import { addMembers } from '../chats/addMembers.ts';
import {
  announceMembers,
  encodeSystemPush,
  insertMembers,
  publishGroupMessage,
} from '../chats/groupChange.ts';
import { listed, refuseTakenName } from '../chats/publicNames.ts';
import type { WriteSystemMessage } from '../chats/systemMessage.ts';
import { ApiError } from '../protocol/errors.ts';
import { Group, GroupSettings, groupEvent } from '../protocol/schema/groups.ts';
import { ClientMessageId, described, GroupName, Id, UserIds } from '../protocol/schema/types.ts';
import { foldedGroup } from '../text/foldedColumns.ts';
import { nameOf } from '../users/names.ts';
import { activeUser } from '../users/users.ts';
import { defineCommand } from './define.ts';

export const newGroup = defineCommand({
  type: 'newGroup',
  summary: 'Create a group; its creator becomes the owner and first member',
  params: Type.Object({
    ...GroupSettings,
    groupName: GroupName,
    userIds: Type.Optional(described(UserIds, 'Up to 100 users who become members')),
    clientMessageId: Type.Optional(ClientMessageId),
  }),
  result: Type.Object({ groupId: Id.group }),
  repeatable: true,
  storesMessage: true,
  ordered: true,
  cost: 5,
  errors: ['NOT_FOUND', 'FORBIDDEN', 'CONFLICT'],
  push: {
    summary: 'A group was created with this user as a member, or by this user on another connection',
    fields: groupEvent({
      groupName: Group.properties.groupName,
      userId: described(Id.user, 'The creator'),
      userIds: Type.Array(Id.user, { description: 'The other first members' }),
    }),
  },
  async handle({ groupName, userIds = [], clientMessageId = null, ...settings }, context) {
    const { session, origin, writer, bus, db } = context;
    const { userId } = session;
    const invited = [...new Set(userIds)].filter((id) => id !== userId);
    const membership = { joined: [userId, ...invited] };

    const work = async (transaction: Transaction, write: WriteSystemMessage) => {
      const actor = await activeUser(db, userId, transaction);
      if (clientMessageId !== null) {
        await db.query(waitForRepeats, [userId, clientMessageId], transaction);
        const known = await db.messages.findOne({
          where: { senderId: userId, clientMessageId },
          transaction,
        });
        if (known && known.custom?.type !== 'newGroup')
          throw new ApiError('CONFLICT', 'This clientMessageId is already used for a message');
        if (known) return { groupId: known.chatId, seq: known.seq };
      }
      const group = await db.chats
        .create(
          {
            ...{ ...settings, kind: 'group', name: groupName, ...foldedGroup(groupName) },
            createdBy: userId,
          },
          { transaction },
        )
        .catch(refuseTakenName);
      await group.reload({ transaction });
      const change = { transaction, group, actor };
      await insertMembers(context, change, [userId], 'owner');
      group.memberCount = 1; // as it is now: the row says so with the system message
      const names = (await addMembers(context, change, invited)).map(nameOf);
      const content = `${nameOf(actor)} created the group "${groupName}"${names.length > 0 ? ` with ${listed(names)}` : ''}`;
      const fields = { groupName, userId, userIds: invited };
      const stored = await write({
        groupId: group.id,
        senderId: userId,
        senderName: nameOf(actor),
        content,
        custom: { type: 'newGroup', ...fields, membership },
        clientMessageId: clientMessageId ?? undefined,
        members: membership.joined.length,
      });
      return { groupId: group.id, seq: stored.seq, created: { stored, content, fields } };
    };

    const { groupId } = await writer.change(origin, null, work, ({ groupId, seq, created }) => {
      const position = { chatId: groupId, seq };
      if (!created) return announceMembers(bus, position, membership.joined); // the first time may have been cut off
      const { stored, content, fields } = created;
      const push = { type: 'newGroup', senderId: userId, groupId, content, fields };
      const frame = encodeSystemPush(stored, push);
      publishGroupMessage(bus, position, { frame, except: origin, membership });
    });
    return { groupId };
  },
});

/** Until the end of the transaction: the same command on another node waits, and then finds the group. */
const waitForRepeats = `
select pg_advisory_xact_lock(hashtextextended($2, $1))
`;
