import { Type } from 'typebox';
import { seatIn } from '../chats/seats.ts';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { messageOf, readSpan } from '../messages/read.ts';
import { Message } from '../schema/messages.ts';
import { fitting } from '../schema/page.ts';
import { inChat, Limit } from '../schema/types.ts';
import { defineRead } from './define.ts';

const Bound = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description }));

export const getMessages = defineRead({
  type: 'getMessages',
  summary:
    'Read messages of a chat by their seq, lowest first: to fill a gap, or to page in either direction',
  description:
    'With afterSeq the messages that follow it, with beforeSeq alone those right before it, with both what lies between; with neither the newest.',
  params: inChat({
    afterSeq: Bound('Only messages with a higher seq'),
    beforeSeq: Bound('Only messages with a lower seq'),
    limit: Limit,
  }),
  result: Type.Object({
    data: Type.Array(Message),
    more: Type.Boolean({
      description:
        'More of what was asked for is there: go on with afterSeq, or with beforeSeq where only that was given. A page may be shorter than its limit',
    }),
  }),
  errors: ['NOT_FOUND', 'NOT_A_MEMBER'],
  async handle({ afterSeq, beforeSeq, limit = DEFAULT_LIMIT, ...address }, { session, db }) {
    const seat = await seatIn(db, session.userId, address);
    const end = Math.min((beforeSeq ?? Number.MAX_SAFE_INTEGER) - 1, seat.chat.lastSeq);
    const start = Math.max((afterSeq ?? end - limit) + 1, seat.member.firstSeq);
    const rows = await readSpan(
      db,
      seat,
      start,
      afterSeq === undefined ? end : Math.min(end, start + limit - 1),
    );
    const messages = rows.map(messageOf);
    if (afterSeq === undefined) {
      const data = fitting(messages).reverse();
      return { data, more: (data[0]?.seq ?? 0) > seat.member.firstSeq };
    }
    const data = fitting(messages.reverse());
    return { data, more: (data.at(-1)?.seq ?? end) < end };
  },
});
