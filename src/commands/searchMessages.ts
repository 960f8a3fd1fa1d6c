import { type Static, Type } from 'typebox';
import { membershipIn } from '../chats/membership.ts';
import type { Queries } from '../database/database.ts';
import type { MessageId } from '../ids.ts';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { type MessageRow, messageOf, selectMessages } from '../messages/read.ts';
import { headlines, searchText } from '../messages/search.sql.ts';
import { findMessages } from '../messages/search.ts';
import { highlight, hitsIn, type Range } from '../messages/searchHighlight.ts';
import { Cursor, NextCursor, ROWS } from '../protocol/cursor.ts';
import { ApiError } from '../protocol/errors.ts';
import { Message } from '../protocol/schema/messages.ts';
import { Address, CustomFilter, described, IdOfUser, Limit, Moment, Text } from '../protocol/schema/types.ts';
import { foldForSearch, wordsOf } from '../text/fold.ts';
import { defineRead } from './define.ts';

const Highlight = Type.Array(
  Type.Object(
    {
      text: Type.String({ description: 'A piece of the content' }),
      hit: Type.Boolean({ description: 'True if it matched' }),
    },
    { title: 'HighlightPart', description: 'A piece of the content, a match or not' },
  ),
  {
    description: 'The part of the content around the match, in pieces: escape each text, then mark the hits',
  },
);

const Hit = Type.Object(
  { ...Message.properties, highlight: Highlight },
  { title: 'FoundMessage', description: 'A message that was found, and where it matches' },
);

export const searchMessages = defineRead({
  type: 'searchMessages',
  summary: 'Search the messages of all chats of this user by words and parts of words',
  description:
    'Words match in all their English forms, quoted phrases match literally, and -word excludes. Any text also matches within words; case, accents and vowel points are ignored. A message can be found a moment after it was sent. Results are ordered newest first, and one page searches a limited number of messages. It may therefore be short or empty, with a nextCursor to continue, if few messages match and the index excludes few of the others (one or two letters, a word with very common parts, custom data). The order by relevance ranks the newest matches: some thousands of them, among the messages that one page searches.',
  params: Type.Object({
    query: Text(1, 200, 'Text to search for'),
    ...Address,
    senderId: Type.Optional(described(IdOfUser, 'Only messages of this sender')),
    from: Type.Optional(described(Moment, 'Only messages since this time, included')),
    to: Type.Optional(described(Moment, 'Only messages before this time')),
    hasMention: Type.Optional(Type.Boolean({ description: 'If true, only messages that mention this user' })),
    custom: CustomFilter,
    order: Type.Optional(
      Type.Enum(['recency', 'relevance'], {
        title: 'SearchOrder',
        default: 'recency',
        description: 'Order of the results: newest first, or best match first',
      }),
    ),
    limit: Limit,
    cursor: Cursor,
  }),
  result: Type.Object({
    data: Type.Array(Hit, ROWS),
    nextCursor: NextCursor,
  }),
  cost: 20,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER'],
  isHeavy: true,
  async handle(
    { query, order = 'recency', limit = DEFAULT_LIMIT, cursor, ...filters },
    { session, db, cursors },
  ) {
    const { receiverId, groupId, senderId, from, to, hasMention, custom } = filters;
    if (receiverId !== undefined && groupId !== undefined)
      throw new ApiError('BAD_REQUEST', 'params must have at most one of receiverId, groupId');
    const oneChat = receiverId !== undefined || groupId !== undefined;
    const chatId = oneChat ? (await membershipIn(db, session.userId, filters)).chat.id : undefined;
    const [rank = 0, messageId] = cursor === undefined ? [] : cursors.numbers(cursor, 2);
    const { words, text } = searchText(query);
    const { hits, searchedTo } = await findMessages(db, {
      ...{ words, text, order, chatId, senderId, custom },
      userId: session.userId,
      from: from === undefined ? undefined : new Date(from),
      to: to === undefined ? undefined : new Date(to),
      hasMention: hasMention ?? false,
      limit: limit + 1,
      after: messageId === undefined ? undefined : { rank, messageId },
    });
    const ids = hits.map((hit) => hit.messageId);
    const rows = await db.query<MessageRow>(byIds, [session.userId, JSON.stringify(ids)]);
    const messages = new Map<MessageId, Static<typeof Hit>>();
    for await (const [row, ranges] of hitsOf(db, rows, words, text ?? ''))
      messages.set(row.messageId, { ...messageOf(row), highlight: highlight(row.content, ranges) });
    const found = hits.map((hit) => ({ ...hit, message: messages.get(hit.messageId) }));
    const { data, nextCursor } = cursors.pageOf(found, limit, (hit) => [hit.rank, hit.messageId]);
    const goesOn = nextCursor === null && searchedTo !== undefined;
    return {
      data: data.flatMap(({ message }) => message ?? []),
      nextCursor: goesOn ? cursors.encode([0, searchedTo + 1]) : nextCursor,
    };
  },
});

/** Milliseconds for which contents are folded before others have their turn. */
const TURN = 5;

/** Yields rows with where they have what was looked for. */
async function* hitsOf(
  db: Queries,
  rows: readonly MessageRow[],
  words: string,
  text: string,
): AsyncGenerator<[MessageRow, Range[]]> {
  for (let [start, end] = [0, 0]; start < rows.length; start = end) {
    const begun = performance.now();
    const folded: string[] = [];
    for (; end < rows.length && performance.now() - begun < TURN; end++)
      folded.push(wordsOf(foldForSearch(rows[end]?.content ?? '')));
    const marked = await db.query<{ headline: string }>(headlines, [words, JSON.stringify(folded)]);
    for (const [index, row] of rows.slice(start, end).entries())
      yield [row, hitsIn(row.content, marked[index]?.headline ?? '', text)];
  }
}

const byIds = `${selectMessages}
where message.id = any (array(select jsonb_array_elements_text($2::jsonb)::bigint))
`;
