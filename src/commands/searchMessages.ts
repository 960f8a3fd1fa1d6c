import { Type } from 'typebox';
import { seatIn } from '../chats/seats.ts';
import { ApiError } from '../errors.ts';
import { highlightParts, highlightPlain } from '../messages/highlight.ts';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { type MessageRow, messageOf, selectMessages } from '../messages/read.ts';
import { type Reach, reach, searchHits } from '../messages/search.sql.ts';
import { Cursor, NextCursor } from '../schema/cursor.ts';
import { Message } from '../schema/messages.ts';
import { Address, CustomFilter, Id, Limit, Moment, Text } from '../schema/types.ts';
import { defineRead } from './define.ts';

const Highlight = Type.Array(Type.Object({ text: Type.String(), hit: Type.Boolean() }), {
  description:
    'The part of the content around what was found, in pieces: escape each text, then mark the hits',
});

export const searchMessages = defineRead({
  type: 'searchMessages',
  summary: 'Find messages in one’s chats by words and parts of words',
  description:
    'Words are found in all their English forms, quoted phrases as they are, and -word excludes; any text is also found within words, whatever case and accents. A message can be found a moment after it was sent.',
  params: Type.Object({
    query: Text(1, 200, 'What to look for'),
    ...Address,
    senderId: Type.Optional(Type.Integer({ ...Id, description: 'Only what this user wrote' })),
    from: Type.Optional(Moment),
    to: Type.Optional(Moment),
    hasMention: Type.Optional(Type.Boolean({ description: 'True: only messages that mention this user' })),
    custom: CustomFilter,
    order: Type.Optional(Type.Enum(['recency', 'relevance'], { default: 'recency' })),
    limit: Limit,
    cursor: Cursor,
  }),
  result: Type.Object({
    data: Type.Array(Type.Object({ ...Message.properties, highlight: Highlight })),
    nextCursor: NextCursor,
  }),
  errors: ['NOT_FOUND', 'NOT_A_MEMBER'],
  cost: 20,
  async handle(
    { query, order = 'recency', limit = DEFAULT_LIMIT, cursor, ...filters },
    { session, db, cursors },
  ) {
    const { receiverId, groupId, senderId, from, to, hasMention, custom } = filters;
    if (receiverId !== undefined && groupId !== undefined)
      throw new ApiError('BAD_REQUEST', 'params must have at most one of receiverId, groupId');
    const oneChat = receiverId !== undefined || groupId !== undefined;
    const chatId = oneChat ? (await seatIn(db, session.userId, filters)).chat.id : null;
    const [rank = null, id = null] = cursor === undefined ? [] : cursors.numbers(cursor, 2);
    const [reached] = await db.select<Reach>(reach, [session.userId, chatId, query]);
    if (!reached) throw new Error('a sum without a row');
    const hits = await db.select<Hit>(searchHits(order, reached), [
      session.userId,
      query,
      chatId,
      senderId ?? null,
      from === undefined ? null : new Date(from),
      to === undefined ? null : new Date(to),
      hasMention ?? false,
      custom ? JSON.stringify(custom) : null,
      id,
      rank,
      limit + 1,
    ]);
    const ids = hits.map(({ messageId }) => messageId);
    const rows = await db.select<MessageRow>(byIds, [session.userId, JSON.stringify(ids)]);
    const rowOf = new Map(rows.map((row) => [row.messageId, row]));
    const found = hits.map(({ messageId, headline, rank }) => {
      const row = rowOf.get(messageId);
      const highlight = row && (highlightParts(headline) ?? highlightPlain(row.content, query));
      return { rank, messageId, message: row && highlight && { ...messageOf(row), highlight } };
    });
    const { data, nextCursor } = cursors.pageOf(found, limit, (hit) => [hit.rank, hit.messageId]);
    return { data: data.flatMap(({ message }) => message ?? []), nextCursor };
  },
});

interface Hit {
  readonly messageId: number;
  readonly rank: number;
  /** The content around the words found, these between the marks of highlight.ts. */
  readonly headline: string;
}

const byIds = `${selectMessages}
where message.id = any (array(select jsonb_array_elements_text($2::jsonb)::bigint))
`;
