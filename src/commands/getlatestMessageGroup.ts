import { Type } from 'typebox';
import { membershipInGroup } from '../chats/membership.ts';
import { historyRow, pageOf, readStretch } from '../messages/history.ts';
import { ROWS } from '../protocol/cursor.ts';
import { HistoryRow } from '../protocol/schema/messages.ts';
import { Id, IdOfGroup, Limit, Page } from '../protocol/schema/types.ts';
import { defineRead } from './define.ts';

export const getlatestMessageGroup = defineRead({
  type: 'getlatestMessageGroup',
  summary: 'Page through the history of a group, newest first',
  params: Type.Object({ groupId: IdOfGroup, limit: Limit, page: Page }),
  result: Type.Object({
    data: Type.Array(
      Type.Object(
        { ...HistoryRow.properties, group_id: Id.group },
        {
          title: 'GroupHistoryRow',
          description: 'A message of a group, in the spelling of getlatestMessageGroup',
        },
      ),
      ROWS,
    ),
  }),
  cost: 1,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER'],
  async handle({ groupId, limit, page }, { session, db }) {
    const messages = await readStretch(db, session.userId, { groupId }, pageOf(limit, page));
    if (messages.length === 0) await membershipInGroup(db, session.userId, groupId); // which refuses who is no member
    return { data: messages.map((message) => Object.assign(historyRow(message), { group_id: groupId })) };
  },
});
