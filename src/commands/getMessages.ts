import { Type } from 'typebox';
import { membershipIn } from '../chats/membership.ts';
import { DEFAULT_LIMIT, readStretch } from '../messages/history.ts';
import { messageOf } from '../messages/read.ts';
import { ROWS } from '../protocol/cursor.ts';
import { Message } from '../protocol/schema/messages.ts';
import { fitting } from '../protocol/schema/page.ts';
import { inChat, Limit } from '../protocol/schema/types.ts';
import { defineRead } from './define.ts';

const Bound = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description }));

export const getMessages = defineRead({
  type: 'getMessages',
  summary: 'Read messages of a chat by seq, lowest first, to fill a gap or to page in either direction',
  description:
    'afterSeq returns the messages that follow it; beforeSeq alone returns the messages immediately before it; both return the messages in between; without either, the newest messages are returned.',
  params: inChat({
    afterSeq: Bound('Only messages with a higher seq'),
    beforeSeq: Bound('Only messages with a lower seq'),
    limit: Limit,
  }),
  result: Type.Object({
    data: Type.Array(Message, ROWS),
    more: Type.Boolean({
      description:
        'True if there are more matching messages: continue with afterSeq, or with beforeSeq if only that was given. A page may be shorter than limit',
    }),
  }),
  cost: 1,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER'],
  async handle({ afterSeq, beforeSeq, limit = DEFAULT_LIMIT, ...address }, { session, db }) {
    const rows = await readStretch(db, session.userId, address, { afterSeq, beforeSeq, limit });
    const [newest] = rows;
    if (!newest) {
      await membershipIn(db, session.userId, address); // which refuses who is no member
      return { data: [], more: false };
    }
    const { firstSeq, lastSeq } = newest;
    const messages = rows.map(messageOf);
    if (afterSeq === undefined) {
      const data = fitting(messages).reverse();
      return { data, more: (data[0]?.seq ?? 0) > firstSeq };
    }
    const data = fitting(messages.reverse());
    const end = Math.min((beforeSeq ?? Number.MAX_SAFE_INTEGER) - 1, lastSeq);
    return { data, more: (data.at(-1)?.seq ?? end) < end };
  },
});
