import { expect } from 'chai';
import { type Database, openDatabase } from '../../src/database/database.ts';
import type { MessageId } from '../../src/ids.ts';
import { indexNewMessages, reindex } from '../../src/messages/indexMessages.ts';
import { leaveTombstones } from '../../src/messages/tombstone.ts';
import { FOLD_VERSION, foldForSearch, wordsOf } from '../../src/text/fold.ts';
import {
  database,
  databaseUrl,
  http,
  newClients,
  newUser,
  type Person,
  startServer,
} from '../support/harness.ts';
import { until } from '../support/until.ts';

/** Locks the index until it is released: only one node works on it at a time. */
async function holdIndex() {
  const transaction = await database.sequelize.transaction();
  await database.query('select from message_search_progress for update', [], transaction);
  return { transaction, release: () => transaction.rollback() };
}

const isIndexed = async (messageId: number) =>
  (await database.query('select from message_search where message_id = $1', [messageId])).length > 0;

/** Inserts a message in a chat that does not exist, which only the index reads. */
const insertMessage = `
insert into messages (chat_id, seq, sender_id, kind, content, tally)
select 0, coalesce(max(seq), 0) + 1, $1, 'text', 'slow', 1 from messages where chat_id = 0
returning id
`;

describe('the search index', function () {
  this.timeout(60_000);
  let ada: Person;
  /** A secret, and the message right after it. */
  let ids: [MessageId, MessageId];
  let index: Awaited<ReturnType<typeof holdIndex>>;

  beforeEach(async () => {
    [ada] = await newClients(1);
    index = await holdIndex();
    const write = async (content: string): Promise<MessageId> =>
      (await ada.client.done('privateMessage', { receiverId: ada.id, content })).messageId;
    await write('first');
    ids = [await write('secret'), await write('harmless')];
  });

  /** A node that reads the index within the transaction that locks it, and runs all other statements by `query`. */
  const holding = (query: Database['query']): Database => ({
    ...database,
    query,
    execute: query,
    indexer: {
      query: ({ text, values = [] }) => database.query(text, values, index.transaction),
      close: async () => {},
    },
  });

  it('keeps nothing of a message that is deleted while it is being indexed', async () => {
    const blocker = await database.sequelize.transaction();
    const entry = `insert into message_search values ($1, 0, 0, '', '')`;
    await database.execute(entry, [ids[1]], blocker);
    await index.release();
    const stuck = `
      select from pg_stat_activity where wait_event_type = 'Lock' and query like '%message_search%'`;
    await until(async () => (await database.query(stuck, [])).length > 0);
    await ada.client.done('deleteMessage', { messageId: ids[0] }); // does not wait
    await blocker.rollback();
    await until(() => isIndexed(ids[1]));
    await until(async () => !(await isIndexed(ids[0])));
  });

  it('keeps nothing of a message whose deletion is committed after it was indexed', async () => {
    const deletion = await database.sequelize.transaction();
    await leaveTombstones(database, [ids[0]], deletion);
    await index.release();
    await until(() => isIndexed(ids[1]));
    expect(await isIndexed(ids[0])).to.equal(true);
    await deletion.commit();
    await until(async () => !(await isIndexed(ids[0])));
  });

  it('keeps nothing of a message that is deleted while a node that has read it stalls', async () => {
    const { messageId } = await ada.client.done('privateMessage', { receiverId: ada.id, content: 'sécret' });
    let [hasRead, goOn] = [false, () => {}];
    const stall = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const node = holding(async (...args) => {
      hasRead = true;
      await stall;
      return database.query(...args);
    });
    const late = indexNewMessages(node, 1_000);
    await until(() => hasRead);
    await index.release();
    await until(() => isIndexed(messageId)); // by another node
    await ada.client.done('deleteMessage', { messageId });
    const checked = 'select from message_search_progress where checked_id >= $1';
    await until(async () => (await database.query(checked, [messageId])).length > 0);
    goOn();
    await late;
    expect(await isIndexed(messageId)).to.equal(false);
  });

  it('has the messages that a node has read while another one only checks the index', async () => {
    const { messageId } = await ada.client.done('privateMessage', { receiverId: ada.id, content: 'sécret' });
    const stuck = `
      select from pg_stat_activity where wait_event_type = 'Lock' and query like '%message_search_progress%'`;
    let isOver = false;
    const node = holding((...args) =>
      database.query<never>(...args).finally(() => {
        isOver = true;
      }),
    );
    const indexed = indexNewMessages(node, 1_000);
    await until(async () => isOver || (await database.reads.query(stuck, [])).length > 0);
    await index.release();
    await indexed;
    expect(await isIndexed(messageId)).to.equal(true);
  });

  it('finds entries of another version of the fold, also next to contents that PostgreSQL does not fold', async () => {
    await ada.client.done('privateMessage', { receiverId: ada.id, content: 'Привет' });
    const query: Database['query'] = (text, values) => database.query(text, values, index.transaction);
    await query('update message_search_progress set refolded_id = -2', []);
    await query(`insert into message_search values (-1, 0, 0, '', '')`, []);
    const { hasOld } = await indexNewMessages(holding(query), 1_000);
    await index.release();
    expect(hasOld).to.equal(true);
  });

  it('checks the indexed messages again only when older transactions have ended', async () => {
    const query: Database['query'] = (text, values) => database.query(text, values, index.transaction);
    await query(`update message_search_progress set noted_xmax = '1000000000'`, []);
    const { count, taken, isOver } = await indexNewMessages(holding(query), 1_000, undefined, ids[0]);
    expect({ count, taken, isOver }).to.deep.equal({ count: 1, taken: ids[1], isOver: false });
    await index.release();
    await until(() => isIndexed(ids[0]));
  });

  it('reports for how long it has made no progress', async () => {
    const stalled = async () => {
      const { body } = await http('GET', '/metrics');
      return Number(/^parley_search_stalled_seconds (\d+)$/m.exec(body)?.[1]);
    };
    await until(async () => (await stalled()) > 0);
    await index.release();
    await until(async () => (await stalled()) === 0);
  });

  it('indexes a message that is committed after many messages with higher ids', async () => {
    const slow = await database.sequelize.transaction();
    const [message] = await database.execute<{ id: number }>(insertMessage, [ada.id], slow);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: ada.id, content: 'later' });
    await index.release(); // not before: it would note an id in between, and wait for the slow transaction then
    await until(() => isIndexed(messageId));
    const noted = 'select from message_search_progress where noted_id >= $1';
    await until(async () => (await database.query(noted, [messageId])).length > 0);
    await slow.commit();
    await until(() => isIndexed(message?.id ?? 0));
  });

  it('has the edited content of a message, whichever of the two writes the entry first', async () => {
    const edit = (messageId: number, content: string) =>
      ada.client.done('editMessage', { messageId, content });
    const change = await database.sequelize.transaction();
    await reindex(database, ids[0] as MessageId, 'changed first', change);
    await index.release();
    const stuck = `
      select from pg_stat_activity where wait_event_type = 'Lock' and query like '%message_search%'`;
    await until(async () => (await database.query(stuck, [])).length > 0);
    const edited = edit(ids[1], 'changed last'); // waits only for the index
    await change.commit();
    await edited;
    const folded = `select folded from message_search where message_id in ($1, $2) order by message_id`;
    const texts = async () =>
      (await database.query<{ folded: string }>(folded, [...ids])).map((row) => row.folded).join();
    await until(async () => (await texts()) === 'changed first,changed last');
  });
});

describe('an entry of the search index', () => {
  it('has the folded form of any content, whether the database or the server folds it', async function () {
    this.timeout(60_000);
    const [ada] = await newClients(1);
    const ascii = Array.from({ length: 127 }, (_, n) => String.fromCharCode(n + 1)).join('');
    const contents = [
      ...['AT&T meets ADA@Example.com', `all of it: ${ascii}`, "It's 3.5 Q&A_B <b>X</b>"],
      ...['Ünïcode Straße', 'МОСКВА Ёж', 'ﬁne ①', '北京 OK', 'half ½ — done…', 'A\u0301da'],
    ];
    const write = async (content: string): Promise<MessageId> =>
      (await ada.client.done('privateMessage', { receiverId: ada.id, content })).messageId;
    const ids: number[] = [];
    for (const content of contents) ids.push(await write(content));
    for (const id of ids) {
      await until(() => isIndexed(id));
      const [row] = await database.query<{ content: string }>('select content from messages where id = $1', [
        id,
      ]);
      const folded = foldForSearch(row?.content ?? '');
      const same = `
        select from message_search
        where message_id = $1 and folded = $2 and document = to_tsvector('folded_english', $3) and fold = $4`;
      const found = await database.query(same, [id, folded, wordsOf(folded), FOLD_VERSION]);
      expect(found, row?.content).to.have.lengthOf(1);
    }
  });
});

describe('the search index of a new installation', function () {
  this.timeout(60_000);

  beforeEach(() => database.sequelize.query('create database search_test'));
  afterEach(() => database.sequelize.query('drop database search_test'));

  it('has the first message, and catches up in a copy whose transaction ids start over', async () => {
    const server = await startServer({ DATABASE_URL: databaseUrlOf('search_test') });
    const own = openDatabase(databaseUrlOf('search_test'), 2);
    try {
      const noted = (id: number) =>
        own.query('select from message_search_progress where noted_id = $1', [id]);
      const user = await newUser(server.url);
      const client = await user.connect();
      const write = async (content: string): Promise<number> =>
        (await client.done('privateMessage', { receiverId: user.id, content })).messageId;
      const has = async (id: number) =>
        (await own.query('select from message_search where message_id = $1', [id])).length > 0;
      const first = await write('first');
      await until(() => has(first));
      await until(async () => (await noted(first)).length > 0);

      await own.execute(`update message_search_progress set noted_xmax = '1000000000'`, []);
      const second = await write('second');
      const settled = 'select from message_search_progress where settled_id = $1';
      await until(async () => (await own.query(settled, [second])).length > 0);
    } finally {
      await own.close();
      await server.close();
    }
  });
});

function databaseUrlOf(name: string): string {
  const url = new URL(databaseUrl());
  url.pathname = `/${name}`;
  return url.href;
}
