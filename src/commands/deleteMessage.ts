import { Type } from 'typebox';
import { pushToChat } from '../chats/publish.ts';
import { assertRole, seatInGroup } from '../chats/seats.ts';
import { ApiError } from '../errors.ts';
import { assertWrittenByUser, changeMessage } from '../messages/changeMessage.ts';
import { entomb } from '../messages/entomb.ts';
import { readMessage } from '../messages/read.ts';
import { MessageAddress } from '../schema/messages.ts';
import { Id, Time } from '../schema/types.ts';
import { defineCommand } from './define.ts';

export const deleteMessage = defineCommand({
  type: 'deleteMessage',
  summary: 'Delete a message for everybody: one’s own, in groups as owner or admin any',
  description:
    'Its place in the chat stays, with empty content and deletedAt. Deleted again, nothing changes.',
  params: Type.Object({ messageId: Id }),
  result: Type.Object({ deletedAt: Time }),
  errors: ['NOT_FOUND', 'FORBIDDEN'],
  push: {
    summary: 'Somebody deleted a message',
    fields: Type.Object({ ...MessageAddress, deletedAt: Time }),
  },
  async handle({ messageId }, context) {
    const { session, db } = context;
    const { userId } = session;
    const before = await deletedBefore();
    if (before) return before;

    const change = await changeMessage(context, messageId, async ({ transaction, row }) => {
      assertWrittenByUser(row);
      if (row.senderId !== userId) {
        if (!row.isGroup) throw new ApiError('FORBIDDEN', 'Only its author may delete a message');
        assertRole((await seatInGroup(db, userId, row.chatId, transaction)).member, 'owner', 'admin');
      }
      const [deleted] = await entomb(db, [messageId], transaction);
      return deleted;
    }).catch(async (error) => (await deletedBefore()) ?? Promise.reject(error)); // by a repeat at the same moment
    if ('deletedAt' in change) return change;
    const { chat, row, result } = change;
    if (!result) throw new Error('a locked message was not found');
    const deletedAt = result.deletedAt.toISOString();
    await pushToChat(context, chat, 'deleteMessage', null, { messageId, seq: row.seq, deletedAt });
    return { deletedAt };

    async function deletedBefore(): Promise<{ deletedAt: string } | undefined> {
      const row = await readMessage(db, userId, messageId);
      return row.deletedAt ? { deletedAt: row.deletedAt.toISOString() } : undefined;
    }
  },
});
