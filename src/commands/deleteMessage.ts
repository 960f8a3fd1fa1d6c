import { Type } from 'typebox';
import { pushToChat } from '../chats/publish.ts';
import { assertRole, seatInGroup } from '../chats/seats.ts';
import { ApiError } from '../errors.ts';
import { assertWrittenByUser, changeMessage } from '../messages/changeMessage.ts';
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
    const { deletedAt: before } = await readMessage(db, userId, messageId);
    if (before) return { deletedAt: before.toISOString() };

    const { chat, row, result } = await changeMessage(context, messageId, async ({ transaction, row }) => {
      assertWrittenByUser(row);
      if (row.senderId !== userId) {
        if (!row.isGroup) throw new ApiError('FORBIDDEN', 'Only its author may delete a message');
        assertRole((await seatInGroup(db, userId, row.chatId, transaction)).member, 'owner', 'admin');
      }
      const [deleted] = await db.select<{ deletedAt: Date }>(entomb, [messageId], transaction);
      return deleted;
    });
    if (!result) throw new Error('a locked message was not found');
    const deletedAt = result.deletedAt.toISOString();
    await pushToChat(context, chat, 'deleteMessage', null, { messageId, seq: row.seq, deletedAt });
    return { deletedAt };
  },
});

/** Nothing of what it said is kept but that it was there. */
const entomb = `
with before as (
  select mentions from messages where id = $1
), gone as (
  update messages
  set content = '', custom = null, mentions = null, reactions = null, deleted_at = clock_timestamp()
  where id = $1
  returning chat_id, seq, deleted_at
), edits as (
  delete from message_edits where message_id = $1
), searched as (
  delete from message_search where message_id = $1
), reacted as (
  delete from reactions using gone where reactions.chat_id = gone.chat_id and reactions.seq = gone.seq
), pinned as (
  delete from pins using gone where pins.chat_id = gone.chat_id and pins.seq = gone.seq
), mentioned as (
  delete from mentions using gone, before
  where mentions.user_id = any (before.mentions) and mentions.chat_id = gone.chat_id and mentions.seq = gone.seq
)
select deleted_at as "deletedAt" from gone
`;
