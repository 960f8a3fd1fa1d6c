import { Type } from 'typebox';
import { dialogWith } from '../chats/membership.ts';
import { historyRow, pageOf, readDialogStretch } from '../messages/history.ts';
import { ROWS } from '../protocol/cursor.ts';
import { HistoryRow } from '../protocol/schema/messages.ts';
import { Id, IdOfUser, Limit, Page, UserName } from '../protocol/schema/types.ts';
import { nameOf } from '../users/names.ts';
import { defineRead } from './define.ts';

export const getlatestMessageDialog = defineRead({
  type: 'getlatestMessageDialog',
  summary: 'Page through the dialog with a person, newest first',
  params: Type.Object({ receiverId: IdOfUser, limit: Limit, page: Page }),
  result: Type.Object({
    data: Type.Array(
      Type.Object(
        { ...HistoryRow.properties, receiver_id: Id.user, receverName: UserName },
        {
          title: 'DialogHistoryRow',
          description: 'A message of a dialog, in the spelling of getlatestMessageDialog',
        },
      ),
      ROWS,
    ),
  }),
  cost: 1,
  errors: ['NOT_FOUND'],
  async handle({ receiverId, limit, page }, { session: { userId }, db }) {
    const messages = await readDialogStretch(db, userId, receiverId, pageOf(limit, page));
    if (messages.length === 0) await dialogWith(db, userId, receiverId); // which refuses who is nobody
    const data = messages.map((message) => {
      const isOwn = message.senderId === userId;
      return Object.assign(historyRow(message), {
        receiver_id: isOwn ? receiverId : userId,
        receverName: nameOf({ username: isOwn ? message.otherName : message.ownName }),
      });
    });
    return { data };
  },
});
