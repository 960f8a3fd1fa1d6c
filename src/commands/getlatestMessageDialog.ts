import { Type } from 'typebox';
import { pairOf } from '../messages/dialogs.ts';
import { historyRow, readPage } from '../messages/history.ts';
import { HistoryRow } from '../schema/messages.ts';
import { Id, Limit, Page, UserName } from '../schema/types.ts';
import { nameOf } from '../users/names.ts';
import { existingUser } from '../users/users.ts';
import { defineRead } from './define.ts';

export const getlatestMessageDialog = defineRead({
  type: 'getlatestMessageDialog',
  summary: 'Page through the dialog with a person, newest first',
  params: Type.Object({ receiverId: Id, limit: Limit, page: Page }),
  result: Type.Object({
    data: Type.Array(Type.Object({ ...HistoryRow.properties, receiver_id: Id, receverName: UserName })),
  }),
  errors: ['NOT_FOUND'],
  async handle({ receiverId, limit, page }, { session: { userId }, db }) {
    const { low, high } = pairOf(userId, receiverId);
    const [self, other, chat] = await Promise.all([
      existingUser(db, userId),
      existingUser(db, receiverId),
      db.chats.findOne({ where: { userLow: low, userHigh: high } }),
    ]);
    const member = chat && (await db.members.findOne({ where: { chatId: chat.id, userId } }));
    if (!member) return { data: [] };

    const messages = await readPage(db, { chat, member }, limit, page);
    const data = messages.map((message) => {
      const receiver = message.senderId === userId ? other : self;
      return {
        ...historyRow(message),
        receiver_id: receiver.id,
        receverName: nameOf(receiver),
      };
    });
    return { data };
  },
});
