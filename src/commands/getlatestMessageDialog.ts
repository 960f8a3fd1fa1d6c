import { Type } from 'typebox';
import { dialogWith } from '../chats/seats.ts';
import { historyRow, readPage } from '../messages/history.ts';
import { HistoryRow } from '../schema/messages.ts';
import { Id, Limit, Page, UserName } from '../schema/types.ts';
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
    const { seat, ownName, otherName } = await dialogWith(db, userId, receiverId);
    if (!seat) return { data: [] };

    const messages = await readPage(db, seat, limit, page);
    const data = messages.map((message) => {
      const isOwn = message.senderId === userId;
      return Object.assign(historyRow(message), {
        receiver_id: isOwn ? receiverId : userId,
        receverName: isOwn ? otherName : ownName,
      });
    });
    return { data };
  },
});
