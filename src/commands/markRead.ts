import { Type } from 'typebox';
import { type StateRow, stateColumns } from '../chats/memberState.sql.ts';
import { moveTo } from '../chats/movePositions.ts';
import { prepared } from '../database/statements.ts';
import { ApiError } from '../protocol/errors.ts';
import { ChatAddress, ChatState } from '../protocol/schema/chats.ts';
import { described, inChat, Seq } from '../protocol/schema/types.ts';
import { defineCommand } from './define.ts';

export const markRead = defineCommand({
  type: 'markRead',
  summary: 'Mark a chat as read up to a seq',
  description:
    'The position never decreases. At the current readSeq the command removes the mark of markUnread; below it nothing changes. Sending a message marks everything before it as read. In a dialog the other person receives a push; for groups see getReceipts.',
  params: inChat({ seq: Seq }),
  result: Type.Object({
    data: Type.Object(
      {
        readSeq: ChatState.readSeq,
        unreadCount: ChatState.unreadCount,
        mentionCount: ChatState.mentionCount,
        markedUnread: ChatState.markedUnread,
        lastSeq: described(Seq, 'The counts include all messages up to this seq'),
      },
      { title: 'ReadState', description: 'The unread messages of the chat' },
    ),
  }),
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 1,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER'],
  push: {
    summary: 'The other person of a dialog has read, or this user on another connection',
    fields: Type.Object({ ...ChatAddress, seq: Seq }),
  },
  async handle({ seq, ...address }, context) {
    const { session, db } = context;
    const chat = await moveTo(context, 'markRead', address, seq);
    const [state] = await db.query<State>(stateOf, [chat.id, session.userId]);
    if (!state) throw new ApiError('NOT_A_MEMBER'); // left in between
    const { readSeq, unreadCount, mentionCount, markedUnread, lastSeq } = state;
    return { data: { readSeq, unreadCount, mentionCount, markedUnread, lastSeq } };
  },
});

interface State extends StateRow {
  readonly lastSeq: number;
}

/** Counts of what is unread in the chat $1 for the member $2. */
export const stateOf = prepared(
  'state of chat',
  `
select chat.last_seq as "lastSeq", ${stateColumns}
from chat_members member
cross join lateral (select * from chats where id = member.chat_id limit 1) chat
where member.chat_id = $1 and member.user_id = $2
`,
);
