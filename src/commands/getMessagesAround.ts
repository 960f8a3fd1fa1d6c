import { Type } from 'typebox';
import { seatInChat } from '../chats/seats.ts';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { messageOf, readMessage, readSpan } from '../messages/read.ts';
import { Message } from '../schema/messages.ts';
import { fitting } from '../schema/page.ts';
import { Id, Limit } from '../schema/types.ts';
import { defineRead } from './define.ts';

export const getMessagesAround = defineRead({
  type: 'getMessagesAround',
  summary: 'Read a message with its neighbours, lowest seq first: to jump to what was found',
  description: 'Fewer than limit where they are large: read on with getMessages.',
  params: Type.Object({ messageId: Id, limit: Limit }),
  result: Type.Object({ data: Type.Array(Message) }),
  errors: ['NOT_FOUND'],
  async handle({ messageId, limit = DEFAULT_LIMIT }, { session: { userId }, db }) {
    const { chatId, seq } = await readMessage(db, userId, messageId);
    const seat = await seatInChat(db, userId, chatId);
    if (!seat) return { data: [] }; // left in between
    const end = Math.min(seat.chat.lastSeq, seq + Math.ceil((limit - 1) / 2));
    const start = Math.max(seat.member.firstSeq, end - limit + 1);
    const rows = await readSpan(db, seat, start, start + limit - 1);
    const distance = (message: { seq: number }) => Math.abs(message.seq - seq);
    const nearest = rows.map(messageOf).sort((one, other) => distance(one) - distance(other));
    return { data: fitting(nearest).sort((one, other) => one.seq - other.seq) };
  },
});
