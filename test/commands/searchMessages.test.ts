import { expect } from 'chai';
import type { Transaction } from 'sequelize';
import { database, newClients, newGroup, type Person } from '../support/harness.ts';
import { until } from '../support/until.ts';

/** Searches until the index has returned the expected number of hits. */
async function find({ client }: Person, params: object, expected: number) {
  for (let tries = 0; ; tries++) {
    const page = await client.done('searchMessages', params);
    if (page.data.length === expected || tries === 40) return page;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const contents = ({ data }: { data: { content: string }[] }) => data.map(({ content }) => content);
const marked = (row: { highlight: { text: string; hit: boolean }[] }) =>
  row.highlight.map(({ text, hit }) => (hit ? `[${text}]` : text)).join('');

describe('searchMessages', () => {
  it('finds words in all their forms, and parts of words in any language', async () => {
    const [ada, bob] = await newClients(2);
    const texts = [
      'We were running late',
      'Příliš žluťoučký kůň',
      '我们明天在北京见面',
      'unforgettable evening',
    ];
    for (const content of texts) await ada.client.done('privateMessage', { receiverId: bob.id, content });
    const hits = async (query: string, expected = 1) => contents(await find(bob, { query }, expected));
    expect(await hits('run')).to.deep.equal([texts[0]]);
    expect(await hits('ZLUTOUC')).to.deep.equal([texts[1]]);
    expect(await hits('北京')).to.deep.equal([texts[2]]);
    expect(await hits('gettab')).to.deep.equal([texts[3]]);
    expect(await hits('"running late"')).to.deep.equal([texts[0]]);
    const dashes = ['-'.repeat(100), `running ${'-'.repeat(60)} backwards`, '- '.repeat(60), '-('.repeat(60)];
    for (const query of dashes)
      expect((await bob.client.call('searchMessages', { query })).success, query).to.equal(true);
    for (const nothing of ['walrus', '%', '_', "'", '"', '\\', '((', ':*', '％', '＿', '＼', '\u0301'])
      expect(await hits(nothing, 0), nothing).to.deep.equal([]);
  });

  it('marks the matches', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'A <b>climber</b> climbs' });
    const [words] = (await find(bob, { query: 'climbing' }, 1)).data;
    expect(marked(words)).to.include('[climbs]');
    const [part] = (await find(bob, { query: 'LIMBER' }, 1)).data;
    expect(marked(part)).to.equal('A <b>c[limber]</b> climbs');
  });

  it('searches the chats of the user only, as far as the user may see them', async () => {
    const [ada, bob, eve] = await newClients(3);
    const word = `word${ada.id}`;
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('updateGroup', { groupId, groupName: word }); // a system message, which is not found
    await ada.client.done('messageInGroup', { groupId, content: `${word} in the group` });
    await ada.client.done('privateMessage', { receiverId: bob.id, content: `${word} in private` });
    expect(contents(await find(bob, { query: word }, 2))).to.deep.equal([
      `${word} in private`,
      `${word} in the group`,
    ]);
    expect(contents(await find(eve, { query: word }, 0))).to.deep.equal([]);
    await ada.client.done('updateGroup', { groupId, historyFrom: 'joining' });
    await ada.client.done('addUserInGroup', { groupId, userId: eve.id });
    expect(contents(await find(eve, { query: word }, 0))).to.deep.equal([]);
    await bob.client.done('leaveGroup', { groupId });
    expect(contents(await find(bob, { query: word }, 1))).to.deep.equal([`${word} in private`]);
    expect(await bob.client.refused('searchMessages', { query: word, groupId })).to.equal('NOT_A_MEMBER');
  });

  it('filters by chat, sender, time, mention and custom data', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('messageInGroup', {
      groupId,
      content: `alpha @${bob.username}`,
      custom: { kind: 'note', n: 1 },
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    const middle = (await bob.client.done('messageInGroup', { groupId, content: 'alpha two' })).createdAt;
    await new Promise((resolve) => setTimeout(resolve, 5));
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'alpha three' });
    const count = async (params: object, expected: number) =>
      expect(
        contents(await find(bob, { query: 'alpha', ...params }, expected)),
        JSON.stringify(params),
      ).to.have.length(expected);
    await count({}, 3);
    await count({ groupId }, 2);
    await count({ receiverId: ada.id }, 1);
    await count({ senderId: bob.id }, 1);
    await count({ to: middle }, 1);
    await count({ from: middle }, 2);
    await count({ hasMention: true }, 1);
    await count({ custom: { kind: 'note' } }, 1);
    await count({ custom: { kind: 'other' } }, 0);
    expect(await bob.client.refused('searchMessages', { query: 'alpha', from: 'yesterday' })).to.equal(
      'BAD_REQUEST',
    );
    expect(await bob.client.refused('searchMessages', { query: '' })).to.equal('BAD_REQUEST');
    const both = { query: 'alpha', groupId, receiverId: ada.id };
    expect(await bob.client.refused('searchMessages', both)).to.equal('BAD_REQUEST');
  });

  it('continues from page to page, by recency and by relevance', async () => {
    const [ada, bob] = await newClients(2);
    for (let n = 1; n <= 7; n++)
      await ada.client.done('privateMessage', {
        receiverId: bob.id,
        content: `${'tango '.repeat(n === 3 ? 5 : 1)}${n}`,
      });
    await find(bob, { query: 'tango' }, 7);
    for (const order of ['recency', 'relevance']) {
      const seen: string[] = [];
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const page = await bob.client.done('searchMessages', {
          query: 'tango',
          order,
          limit: 3,
          ...(cursor && { cursor }),
        });
        seen.push(...contents(page).map((content) => content.slice(-1)));
        cursor = page.nextCursor;
      }
      expect(seen, order).to.deep.equal(
        order === 'recency' ? ['7', '6', '5', '4', '3', '2', '1'] : ['3', '7', '6', '5', '4', '2', '1'],
      );
    }
  });

  it('reflects edits and deletions', async () => {
    const [ada, bob] = await newClients(2);
    const { messageId } = await ada.client.done('privateMessage', {
      receiverId: bob.id,
      content: 'kangaroo',
    });
    await find(bob, { query: 'kangaroo' }, 1);
    await ada.client.done('editMessage', { messageId, content: 'wombat' });
    expect(contents(await find(bob, { query: 'kangaroo' }, 0))).to.deep.equal([]);
    expect(contents(await find(bob, { query: 'wombat' }, 1))).to.deep.equal(['wombat']);
    await ada.client.done('deleteMessage', { messageId });
    expect(contents(await find(bob, { query: 'wombat' }, 0))).to.deep.equal([]);
    const entry = 'select from message_search where message_id = $1';
    expect(await database.query(entry, [messageId]), 'the index keeps no deleted content').to.deep.equal([]);
    const at = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'quokka' });
    await ada.client.done('editMessage', { messageId: at.messageId, content: 'dingo' }); // before it is indexed
    expect(contents(await find(bob, { query: 'dingo' }, 1))).to.deep.equal(['dingo']);
    expect(contents(await find(bob, { query: 'quokka' }, 0))).to.deep.equal([]);
  });

  it('finds all of many messages written at the same time', async () => {
    const [ada, bob] = await newClients(2);
    const word = `flood${ada.id}`;
    const ids = Array.from({ length: 1_500 }, (_, n) =>
      ada.client.send('privateMessage', { receiverId: bob.id, content: `${word} ${n}` }),
    );
    await Promise.all(ids.map((id) => ada.client.reply(id)));
    const indexed = async () =>
      (
        await database.query<{ n: number }>('select count(*) as n from message_search where folded like $1', [
          `${word}%`,
        ])
      )[0]?.n;
    for (let tries = 0; tries < 150 && (await indexed()) !== 1_500; tries++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await indexed()).to.equal(1_500);
  });
});

/** Inserts messages $3 of $2 in the chat $1 with their index entries, which is faster than sending thousands. */
const insertMessages = `
with written as (
  insert into messages (chat_id, seq, sender_id, kind, content, tally)
  select $1, last_seq + number, $2, 'text', content, last_seq + number
  from chats, unnest($3::text[]) with ordinality text (content, number) where chats.id = $1
  returning id, chat_id, seq, content
), counted as (
  update chats set last_seq = (select max(seq) from written), tally = (select max(seq) from written) where id = $1
)
insert into message_search (message_id, chat_id, seq, document, folded, fold)
select id, chat_id, seq, to_tsvector('folded_english', lower(content)), lower(content), 1 from written
`;

describe('searchMessages among many messages', function () {
  this.timeout(60_000);
  let ada: Person;
  let groupId: number;
  /** The lock on the index, held until the messages have been searched without filters. */
  let index: Transaction;
  const old = ['我们明天在北京见面', 'Сказал Привет', 'an aardvark', 'a b q'];

  before(async () => {
    [ada] = await newClients(1);
    groupId = await newGroup(ada.client);
    index = await database.sequelize.transaction();
    await database.query('select from message_search_progress for update', [], index);
    const texts = Array.from({ length: 41_000 }, (_, n) => old[n] ?? `message ${n % 10} of many`);
    await database.execute(insertMessages, [groupId, ada.id, texts]);
  });

  /** Returns all pages of a search: the hits, and the number of pages. */
  const pages = async (params: object) => {
    const client = await ada.connect();
    const found: string[] = [];
    for (let [count, cursor] = [1, {}]; ; count++) {
      const page = await client.done('searchMessages', { groupId, ...params, ...cursor });
      found.push(...contents(page));
      if (page.nextCursor === null || count === 100) return { found, count };
      cursor = { cursor: page.nextCursor };
    }
  };

  it('continues in the next page after a bounded number of messages, while they have no filters', async () => {
    try {
      expect(await pages({ query: 'aardvark' })).to.deep.equal({ found: ['an aardvark'], count: 3 });
    } finally {
      await index.rollback();
    }
  });

  it('finds rare words in one page, in any script, when the messages have filters', async () => {
    const isDone = `
      select from message_search_progress
      where filtered_id >= (select max(message_id) from message_search where chat_id = $1) - 2000`;
    await until(async () => (await database.query(isDone, [groupId])).length > 0, 50_000);
    for (const [query, content] of [
      ['北京', old[0]],
      ['明天', old[0]],
      ['приве', old[1]],
      ['aardvarks', old[2]],
      ['rdva', old[2]],
    ])
      expect(await pages({ query }), query).to.deep.equal({ found: [content], count: 1 });
    for (const query of ['東京', 'прилив', 'walrus'])
      expect(await pages({ query }), query).to.deep.equal({ found: [], count: 1 });
  });

  it('finds frequent words, the newest message first, in as many pages as needed', async () => {
    const client = await ada.connect();
    const { data } = await client.done('searchMessages', { groupId, query: 'many', limit: 5 });
    expect(contents({ data })).to.deep.equal([9, 8, 7, 6, 5].map((n) => `message ${n} of many`));
    const { found, count } = await pages({ query: 'q' });
    expect(found).to.deep.equal(['a b q']);
    expect(count).to.be.within(3, 4);
    const nothing = await pages({ query: 'many', custom: { kind: 'none' } });
    expect(nothing.found).to.deep.equal([]);
    expect(nothing.count).to.be.within(3, 4);
  });
});
