import { expect } from 'chai';
import type { ChatId, MessageId } from '../../src/ids.ts';
import { searchText } from '../../src/messages/search.sql.ts';
import { findMessages, type Search } from '../../src/messages/search.ts';
import { makeFilters, mergeChangedEntries } from '../../src/messages/searchFilters.ts';
import { database, newClients, newGroup, type Person } from '../support/harness.ts';
import { id } from '../support/ids.ts';
import { until } from '../support/until.ts';

/** The statement of an earlier release without filters that changes an entry. */
const formerEdit = `
insert into message_search (message_id, chat_id, seq, document, folded, fold)
select id, chat_id, seq, to_tsvector('folded_english', $2), $2, 1 from messages where id = $1
on conflict (message_id) do update set document = excluded.document, folded = excluded.folded, fold = excluded.fold
`;

/** Builds the filters up to a message, unless the indexer of the server does. */
const makeFiltersTo = (id: MessageId) =>
  until(async () => {
    await makeFilters(database, 100);
    const reached = 'select from message_search_progress where filtered_id >= $1';
    return (await database.query(reached, [id])).length > 0;
  });

describe('a search of messages that have filters', function () {
  this.timeout(60_000);
  let ada: Person;
  let bob: Person;
  let groupId: ChatId;
  let ids: MessageId[];
  const texts = [
    'Unforgettable evening',
    'We were running late',
    'Сказал Привет',
    '我们明天在北京见面',
    'C++ & %_',
    'a b',
    'สวัสดีครับ',
  ];

  before(async () => {
    [ada, bob] = await newClients(2);
    groupId = await newGroup(ada.client, bob);
    ids = [];
    for (let n = 0; n < 100; n++) {
      const { client } = n % 10 === 9 ? bob : ada;
      const content = `${texts[n % texts.length]} ${1000 + n}${n === 50 ? ` @${bob.username}` : ''}`;
      ids.push((await client.done('messageInGroup', { groupId, content, custom: { n } })).messageId);
    }
    await whenIndexed(id(Math.max(...ids)));
    await makeFiltersTo(id(Math.max(...ids)));
  });

  beforeEach(async () => {
    ada = { ...ada, client: await ada.connect() };
  });

  const whenIndexed = (id: MessageId) =>
    until(
      async () =>
        (await database.query('select from message_search_progress where refolded_id >= $1', [id])).length >
        0,
    );

  const search = (query: string, more: Partial<Search> = {}) =>
    findMessages(database, {
      ...searchText(query),
      ...{ userId: ada.id, chatId: groupId, senderId: undefined, from: undefined, to: undefined },
      ...{ hasMention: false, custom: undefined, order: 'recency', limit: 200, after: undefined },
      ...more,
    } as Search);

  /** Returns the found messages, which are the same by recency and by relevance, in the chat and in all chats. */
  const found = async (query: string, more: Partial<Search> = {}): Promise<MessageId[]> => {
    const { hits, searchedTo } = await search(query, more);
    const messageIds = hits.map(({ messageId }) => messageId);
    expect(searchedTo, query).to.equal(undefined);
    const same = [
      await search(query, { ...more, order: 'relevance' }),
      await search(query, { ...more, chatId: undefined }),
    ];
    for (const { hits } of same)
      expect(
        hits.map(({ messageId }) => messageId).sort((a, b) => b - a),
        query,
      ).to.deep.equal(messageIds);
    return messageIds;
  };

  it('finds words, phrases, parts of words and single letters, in any script', async () => {
    for (const [query, expected] of [
      ['gettab', 15],
      ['evening 1', 15],
      ['table even', 15],
      ['run', 15],
      ['"running late"', 15],
      ['"late running"', 0],
      ['late OR evening', 30],
      ['late -running', 0],
      ['ПРИВ', 14],
      ['明天在', 14],
      ['北京', 14],
      ['北见', 0],
      ['สวัส', 14],
      ['ดี', 14],
      ['京', 14],
      ['++', 14],
      ['%_', 14],
      ['104', 10],
      ['1049', 1],
      ['xqz', 0],
      ['walrus', 0],
    ] as const)
      expect(await found(query), query).to.have.length(expected);
    expect(await found('-running'), 'all others').to.have.length(85); // the creation of the group is not text
  });

  it('filters by sender, mention, time and custom data', async () => {
    const byBob = ids.filter((_, n) => n % 10 === 9).reverse();
    expect(await found('1', { senderId: bob.id })).to.deep.equal(byBob);
    expect(await found('1', { userId: bob.id, hasMention: true })).to.deep.equal([ids[50]]);
    expect(await found('1', { hasMention: true })).to.deep.equal([]);
    expect(await found('1', { custom: { n: 20 } })).to.deep.equal([ids[20]]);
    const at = `select created_at as at from messages where id = $1`;
    const [row] = await database.query<{ at: Date }>(at, [ids[30]]);
    const times = `select id from messages where id = any ($1::bigint[]) and created_at < $2 order by id desc`;
    const before = await database.query<{ id: MessageId }>(times, [ids, row?.at]);
    expect(await found('1', { to: row?.at })).to.deep.equal(before.map(({ id }) => id));
    expect(await found('1', { from: row?.at })).to.deep.equal(ids.slice(before.length).reverse());
    expect(await found('1', { from: new Date('2030-01-01') })).to.deep.equal([]);
    expect(await found('1', { to: new Date('2020-01-01') })).to.deep.equal([]);
  });

  it('continues after any message', async () => {
    for (const n of [99, 64, 63, 33, 32, 31, 1, 0]) {
      const after = { rank: 0, messageId: ids[n] as MessageId };
      const { hits } = await search('10', { after, limit: 3 });
      expect(hits.map(({ messageId }) => messageId)).to.deep.equal(
        ids.slice(Math.max(0, n - 3), n).reverse(),
      );
    }
  });

  it('finds messages that are newer than the filters, and those that are added to the filters', async () => {
    const { messageId } = await ada.client.done('messageInGroup', { groupId, content: 'a numbat' });
    await whenIndexed(messageId);
    expect(await found('numbat')).to.deep.equal([messageId]);
    await makeFiltersTo(messageId);
    expect(await found('umba')).to.deep.equal([messageId]);
    const filters = 'select messages from message_search_filters where chat_id = $1 order by first_id';
    const [first, ...rest] = await database.query<{ messages: number }>(filters, [groupId]);
    expect(first?.messages).to.equal(32);
    expect(rest.map(({ messages }) => messages)).to.deep.equal([32, 32, 5]);
  });

  it('returns the most relevant first, however many messages are newer than the filters', async () => {
    const send = async (content: string) =>
      (await ada.client.done('messageInGroup', { groupId, content })).messageId;
    const best = await send('ibex ibex ibex');
    await whenIndexed(best);
    await makeFiltersTo(best);
    const others: MessageId[] = [];
    for (let n = 0; n < 3; n++) others.unshift(await send(`an ibex among other words, ${n}`));
    await whenIndexed(others[0] as MessageId);

    const first = await search('ibex', { order: 'relevance', limit: 2 });
    expect(first.hits.map(({ messageId }) => messageId)).to.deep.equal([best, others[0]]);
    const rest = await search('ibex', { order: 'relevance', limit: 3, after: first.hits[1] });
    expect(rest.hits.map(({ messageId }) => messageId)).to.deep.equal(others.slice(1));
  });

  it('finds edited messages and no deleted ones, whichever server changes them', async () => {
    expect(await found('walrus')).to.deep.equal([]);
    await ada.client.done('editMessage', { messageId: ids[3], content: `a walrus @${bob.username}` });
    expect(await found('alru')).to.deep.equal([ids[3]]);
    await database.execute(formerEdit, [ids[70], 'wombat']);
    expect(await found('omba')).to.deep.equal([ids[70]]);
    const changes = 'select from message_search_changed where chat_id = $1';
    await until(async () => {
      await mergeChangedEntries(database, 100);
      return (await database.query(changes, [groupId])).length === 0;
    });
    expect(await found('alru', { userId: bob.id, hasMention: true })).to.deep.equal([ids[3]]);
    expect(await found('omba')).to.deep.equal([ids[70]]);
    await ada.client.done('deleteMessage', { messageId: ids[3] });
    expect(await found('alru')).to.deep.equal([]);
  });

  it('keeps a change that arrives while the previous one is merged', async () => {
    await ada.client.done('editMessage', { messageId: ids[10], content: 'an okapi' });
    const slow = await database.sequelize.transaction();
    let merging: Promise<unknown> | undefined;
    try {
      await database.execute(formerEdit, [ids[10], 'a quagga'], slow);
      merging = mergeChangedEntries(database, 100); // waits for the second one, or skips it
      await slow.commit();
    } catch (error) {
      await slow.rollback();
      throw error;
    }
    await merging;
    expect(await found('quagg')).to.deep.equal([ids[10]]);
    await until(async () => {
      await mergeChangedEntries(database, 100);
      return (
        (await database.query('select from message_search_changed where chat_id = $1', [groupId])).length ===
        0
      );
    });
    expect(await found('quagg')).to.deep.equal([ids[10]]);
  });

  it('shows no message of others, also when the filters match', async () => {
    const [eve] = await newClients(1);
    expect((await search('evening', { userId: eve.id })).hits).to.deep.equal([]);
    await ada.client.done('updateGroup', { groupId, historyFrom: 'joining' });
    await ada.client.done('addUserInGroup', { groupId, userId: eve.id });
    expect((await search('evening', { userId: eve.id })).hits).to.deep.equal([]);
  });
});
