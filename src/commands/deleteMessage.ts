import { Type } from 'typebox';
import { membershipInGroup, requireRole } from '../chats/membership.ts';
import { assertWrittenByUser, changeMessageForAll } from '../messages/changeMessage.ts';
import { readMessage } from '../messages/read.ts';
import { leaveTombstones } from '../messages/tombstone.ts';
import { ApiError } from '../protocol/errors.ts';
import { ChangedMessage, MessageAddress } from '../protocol/schema/messages.ts';
import { IdOfMessage, Time } from '../protocol/schema/types.ts';
import { defineCommand } from './define.ts';

export const deleteMessage = defineCommand({
  type: 'deleteMessage',
  summary:
    'Delete a message for everybody: a message of this user, or, as owner or admin of a group, any message',
  description:
    'The message keeps its seq, with empty content and deletedAt. Deleting it again changes nothing.',
  params: Type.Object({ messageId: IdOfMessage }),
  result: Type.Object({ ...ChangedMessage, deletedAt: Time }),
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 1,
  managesGroup: true,
  errors: ['NOT_FOUND', 'FORBIDDEN'],
  push: {
    summary: 'A user deleted a message',
    fields: Type.Object({ ...MessageAddress, deletedAt: Time }),
  },
  async handle({ messageId }, context) {
    const { session, db } = context;
    const { userId } = session;
    const { row, change, changed } = await changeMessageForAll(
      context,
      'deleteMessage',
      messageId,
      async ({ transaction, row }) => {
        if (row.deletedAt) return undefined;
        assertWrittenByUser(row);
        if (row.senderId !== userId) {
          if (!row.isGroup)
            throw new ApiError('FORBIDDEN', 'Only the author may delete a message of a dialog');
          requireRole(
            (await membershipInGroup(db, userId, row.chatId, transaction)).member,
            'owner',
            'admin',
          );
        }
        const [deleted] = await leaveTombstones(db, [messageId], transaction);
        if (!deleted) return undefined;
        const { deletedAt, version, head } = deleted;
        const fields = { deletedAt: deletedAt.toISOString() };
        return { event: 'deletion', part: 'deleted', fields, raised: { version, head } };
      },
      readMessage,
    );
    const deletedAt = change?.fields.deletedAt ?? row.deletedAt?.toISOString();
    if (deletedAt === undefined) throw new Error('a locked message was not found');
    return { ...changed, deletedAt };
  },
});
