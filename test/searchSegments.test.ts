import { expect } from 'chai';
import { type Reach, reach, searchHits, searchText } from '../src/messages/search.sql.ts';
import { makeSegments } from '../src/messages/segments.ts';
import { database, newClients, newGroup, type Person } from './harness.ts';
import { until } from './until.ts';

/** More messages than are read, few of them with what is looked for; and so few that all are read. */
const LARGE: Reach = { messages: 1_000_000, candidates: 0 };
const SMALL: Reach = { messages: 0, candidates: null };

/** How a server of before, which knows of no segments, changes an entry. */
const editOfBefore = `
insert into message_search (message_id, chat_id, seq, document, folded, fold)
select id, chat_id, seq, to_tsvector('folded_english', $2), $2, 1 from messages where id = $1
on conflict (message_id) do update set document = excluded.document, folded = excluded.folded, fold = excluded.fold
`;

describe('parts of words in chats of many messages', function () {
  this.timeout(60_000);
  let ada: Person;
  let groupId: number;
  let ids: number[];

  before(async () => {
    ada = (await newClients(1))[0];
    groupId = await newGroup(ada.client);
    const texts = [
      'Unforgettable evening',
      'We were running late',
      'Сказал Привет',
      '我们明天在北京见面',
      'C++ & %_',
      'a b',
    ];
    const sent = Array.from({ length: 150 }, (_, n) =>
      ada.client.send('messageInGroup', { groupId, content: `${texts[n % texts.length]} ${1000 + n}` }),
    );
    ids = (await Promise.all(sent.map((id) => ada.client.reply(id)))).map(({ params }) => params.messageId);
    const isDone = 'select from message_search_progress where refolded_id >= $1';
    await until(async () => (await database.select(isDone, [Math.max(...ids)])).length > 0);
    await makeSegments(database, 100); // the indexer waits for more
    expect(await segments()).to.equal(2);
  });

  const segments = async () =>
    (await database.select('select from message_search_segments where chat_id = $1', [groupId])).length;

  const hits = async (query: string, order: 'recency' | 'relevance', reached: Reach) => {
    const { words, text, parts } = searchText(query);
    const filters = [groupId, null, null, null, false, null, null, null, 200, text, parts];
    const rows = await database.select<{ messageId: number }>(searchHits(order, reached), [
      ada.id,
      words,
      ...filters,
    ]);
    return rows.map(({ messageId }) => messageId);
  };

  /** The number of hits, the same in both ways. */
  const found = async (query: string): Promise<number> => {
    for (const order of ['recency', 'relevance'] as const)
      expect(await hits(query, order, LARGE), query).to.deep.equal(await hits(query, order, SMALL));
    return (await hits(query, 'recency', LARGE)).length;
  };

  it('are found as they are where all is read', async () => {
    for (const [query, expected] of [
      ['gettab', 25],
      ['evening 1', 25],
      ['table even', 25],
      ['run', 25],
      ['ПРИВ', 25],
      ['明天在', 25],
      ['114', 11],
      ['1149', 1],
      ['xqz', 0],
      ['walrus', 0],
    ] as const)
      expect(await found(query), query).to.equal(expected);
  });

  it('are found in what was edited and not in what was deleted, whichever server does it', async () => {
    const client = await ada.connect();
    expect(await found('walrus')).to.equal(0);
    await client.done('editMessage', { messageId: ids[3], content: 'a walrus' });
    expect(await found('alru')).to.equal(1);
    await database.select(editOfBefore, [ids[70], 'wombat']);
    expect(await found('omba')).to.equal(1);
    await client.done('deleteMessage', { messageId: ids[3] });
    expect(await found('alru')).to.equal(0);
  });

  it('are looked for in few of the messages', async () => {
    const candidates = async (query: string) => {
      await database.select('update chats set last_seq = last_seq + 200000 where id = $1', [groupId]);
      const [row] = await database.select<Reach>(reach, [ada.id, groupId, searchText(query).parts]);
      await database.select('update chats set last_seq = last_seq - 200000 where id = $1', [groupId]);
      return (row?.candidates ?? 0) - 200_000;
    };
    const behind = 151 - 127;
    expect(await candidates('unforgettable')).to.equal(128 + behind);
    expect(await candidates('1030')).to.equal(64 + behind);
    expect(await candidates('xqzwv')).to.equal(behind);
  });
});
