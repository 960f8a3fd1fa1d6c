import { Type } from 'typebox';
import { groupOfMember } from '../chats/groups.ts';
import { historyRow, readPage } from '../messages/history.ts';
import { HistoryRow, Id, Limit, Page } from '../schema/types.ts';
import { nameOf } from '../users/names.ts';
import { defineCommand } from './define.ts';

export const getlatestMessageGroup = defineCommand({
  type: 'getlatestMessageGroup',
  summary: 'Page through the history of a group, newest first',
  params: Type.Object({ groupId: Id, limit: Limit, page: Page }),
  result: Type.Object({ data: Type.Array(Type.Object({ ...HistoryRow.properties, group_id: Id })) }),
  errors: ['NOT_FOUND', 'NOT_A_MEMBER'],
  async handle({ groupId, limit, page }, { session, db }) {
    const group = await groupOfMember(db, groupId, session.userId);
    const messages = await readPage(db, group, limit, page);
    const data = messages.map((message) => ({
      ...historyRow(message),
      senderName: nameOf(message.sender),
      group_id: groupId,
    }));
    return { data };
  },
});
