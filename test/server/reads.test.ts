import { expect } from 'chai';
import { ParleyError } from '../../src/client/index.ts';
import type { Client, Frame } from '../support/client.ts';
import {
  database,
  http,
  metric,
  newClients,
  type Person,
  type RunningServer,
  startServer,
  typedClient,
} from '../support/harness.ts';
import { until } from '../support/until.ts';

/** The name of connections for heavy reads. */
const HEAVY = 'parley heavy reads';
const MANY = 'Too many commands of this kind at once; wait for their replies';

/** Statements of reads that wait for a lock. */
const held = async (name = 'parley reads') =>
  (
    await database.query<{ pid: number }>(
      `select pid from pg_stat_activity where wait_event_type = 'Lock' and application_name = $1`,
      [name],
    )
  ).map(({ pid }) => pid);

/** Locks a table against reads while the work runs. */
async function whileLocked<T>(table: string, work: () => Promise<T>): Promise<T> {
  return database.transaction(async (transaction) => {
    await database.execute(`lock table ${table} in access exclusive mode`, [], transaction);
    return work();
  });
}

/** Locks the table that every read of a message with its pins needs. */
const whileReadsHang = <T>(work: () => Promise<T>) => whileLocked('pins', work);

/** Waits until a statement waits for the lock, and cancels it, as PostgreSQL does after the timeout. */
async function cancelHeld(name?: string): Promise<void> {
  await until(async () => (await held(name)).length === 1);
  await database.query('select pg_cancel_backend($1)', await held(name));
}

interface Reader {
  readonly client: Client;
  readonly receiverId: number;
}

/** Sends a read, and returns a promise of its reply. */
const read = ({ client, receiverId }: Reader) => client.call('getMessages', { receiverId });

describe('reads', () => {
  let server: RunningServer;
  const start = async (poolSize: string) => {
    server = await startServer({ DATABASE_POOL_SIZE: poolSize });
  };
  afterEach(() => server?.close());

  /** Connections of these users, each of which reads its dialog with Ada. */
  async function readers(ada: Person, people: readonly Person[], connections = 1): Promise<Reader[]> {
    const each = people.map(async (person) => {
      await person.client.done('privateMessage', { receiverId: ada.id, content: 'hi' });
      const clients = Array.from({ length: connections }, () => person.connect(server.url));
      return (await Promise.all(clients)).map((client) => ({ client, receiverId: ada.id }));
    });
    return (await Promise.all(each)).flat();
  }

  it('that occupy all of their connections delay neither sends nor group changes nor readiness', async () => {
    await start('2');
    const [ada, bob, ...others] = await newClients(5);
    const all = await readers(ada, [bob, ...others]);
    const writer = await ada.connect(server.url);
    let replies: Promise<Frame>[] = [];
    await whileReadsHang(async () => {
      replies = all.map(read);
      await until(async () => (await held()).length === 1);

      const { groupId } = await writer.done('newGroup', { groupName: 'Climbers' });
      await writer.done('addUserInGroup', { groupId, userId: bob.id });
      await writer.done('messageInGroup', { groupId, content: 'hi' });
      await writer.done('markRead', { groupId, seq: 1 });
      expect((await http('GET', '/health/ready', { url: server.url })).status).to.equal(200);
      await (await ada.connect(server.url)).done('ping');
      expect(await held()).to.have.length(1); // they still wait
    });
    for (const reply of await Promise.all(replies)) expect(reply).to.include({ success: true });
  });

  it('of one user run a few at a time, concurrently with those of others', async () => {
    await start('16');
    const [ada, bob, cleo] = await newClients(3);
    const all = await readers(ada, [bob], 6);
    const other = await cleo.connect(server.url);
    let replies: Promise<Frame>[] = [];
    await whileReadsHang(async () => {
      replies = all.map(read);
      await until(async () => (await held()).length === 2);
      for (let n = 0; n < 10; n++) await other.done('listUsers', { limit: 1 });
      expect(await held()).to.have.length(2);
    });
    for (const reply of await Promise.all(replies)) expect(reply).to.include({ success: true });
  });

  it('that exceed their timeout fail with TIMEOUT, which the typed client does not repeat', async () => {
    await start('2');
    const [ada, bob] = await newClients(2);
    const [reader] = (await readers(ada, [bob])) as [Reader];
    const client = typedClient(bob, { url: server.url });
    await client.online();
    await whileReadsHang(async () => {
      const reply = read(reader);
      await cancelHeld();
      const message = 'The read took too long; request fewer rows or narrow the search';
      const error = { error: true, type: 'getMessages', code: 'TIMEOUT', message };
      expect(await reply)
        .to.deep.include(error)
        .and.not.have.property('retryAfter');

      const call = client.call('getMessages', { receiverId: ada.id }).catch((reason: ParleyError) => reason);
      await cancelHeld();
      expect(await call)
        .to.be.instanceOf(ParleyError)
        .and.include({ code: 'TIMEOUT', message });
      expect(await held()).to.have.length(0);
    });
    expect(await metric(server, 'parley_commands_total{type="getMessages",outcome="TIMEOUT"}')).to.equal(2);
    expect(await metric(server, 'parley_limited_total{limit="read"}')).to.equal(2);
    await client.call('getMessages', { receiverId: ada.id });
  });

  it('that are heavy run one at a time per user, and more than ten waiting ones are refused to that user only', async () => {
    await start('10');
    const [ada, bob, cleo] = await newClients(3);
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'hi' });
    const connect = (person: Person) => person.connect(server.url);
    const searching = await Promise.all(Array.from({ length: 13 }, () => connect(ada)));
    const [adas, bobs, bobsSearch, cleos] = await Promise.all([ada, bob, bob, cleo].map(connect));
    const search = (client?: Client) => client?.call('searchMessages', { query: 'hi' }) as Promise<Frame>;
    const waiting = () => metric(server, 'parley_heavy_commands_waiting');
    let others: Promise<Frame>[] = [];
    const replies = await whileLocked('message_search', async () => {
      const refused: Frame[] = [];
      const replies = searching.map(async (client) => {
        const reply = await search(client);
        if (reply.error) refused.push(reply);
        return reply;
      });
      await until(() => refused.length === 2);
      for (const reply of refused)
        expect(reply).to.include({ code: 'RATE_LIMITED', message: MANY, retryAfter: 2 });
      await until(async () => (await held(HEAVY)).length === 1);

      for (const [client, receiverId] of [
        [adas, bob.id],
        [bobs, ada.id],
      ] as const) {
        await client?.done('getMessages', { receiverId });
        await client?.done('listLastMessage');
        await client?.done('privateMessage', { receiverId, content: 'hi' });
      }
      expect([(await held(HEAVY)).length, await waiting()]).to.deep.equal([1, 10]);

      others = [bobsSearch, cleos].map(search);
      // one of them runs concurrently with those of Ada, the other is next
      await until(async () => (await waiting()) === 11 && (await held(HEAVY)).length === 2);
      return replies;
    });
    expect((await Promise.all(replies)).filter(({ success }) => success)).to.have.length(11);
    for (const reply of await Promise.all(others)) expect(reply).to.include({ success: true });
    expect(await waiting()).to.equal(0);
    expect(await metric(server, 'parley_limited_total{limit="heavy"}')).to.equal(2);
  });

  it('that are heavy and exceed their timeout fail with TIMEOUT, and make room for others', async () => {
    await start('2');
    const [ada, bob] = await newClients(2);
    const [mine, other] = await Promise.all([ada, bob].map((person) => person.connect(server.url)));
    const params = { query: 'hi' };
    await whileLocked('message_search', async () => {
      const reply = mine?.call('searchMessages', params);
      await cancelHeld(HEAVY);
      expect(await reply).to.include({ code: 'TIMEOUT' });
      const next = other?.call('searchUsers', { query: bob.username });
      expect(await next).to.include({ success: true });
    });
    expect(await mine?.call('searchMessages', params)).to.include({ success: true });
  });

  it('have a short timeout, and cannot write', async () => {
    const settings = (db: Pick<typeof database, 'query'>) =>
      db.query(
        `select current_setting('statement_timeout') as timeout, current_setting('transaction_read_only') as "readOnly"`,
        [],
      );
    for (const db of [database.reads, database.heavyReads])
      expect(await settings(db)).to.deep.equal([{ timeout: '5s', readOnly: 'on' }]);
    expect(await settings(database)).to.deep.equal([{ timeout: '15s', readOnly: 'off' }]);
  });
});

describe('changes', () => {
  it('of one user run a few at a time, concurrently with those of others', async () => {
    const server = await startServer({ DATABASE_POOL_SIZE: '4' });
    const [ada, bob] = await newClients(2);
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'hi' });
    const clients = await Promise.all(Array.from({ length: 6 }, () => ada.connect(server.url)));
    const other = await bob.connect(server.url);
    let replies: Promise<Frame>[] = [];
    await database.transaction(async (transaction) => {
      await database.query('select from chat_members where user_id = $1 for update', [ada.id], transaction);
      replies = clients.map((client) => client.call('markRead', { receiverId: bob.id, seq: 1 }));
      await until(async () => (await held('parley')).length > 0);
      await other.done('newGroup', { groupName: 'Climbers' });
      expect(await held('parley')).to.have.length(1);
    });
    for (const reply of await Promise.all(replies)) expect(reply).to.include({ success: true });
    await server.close();
  });

  it('that exceed their timeout fail with UNAVAILABLE, and may be repeated', async () => {
    const [ada, bob] = await newClients(2);
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'hi' });
    await database.transaction(async (transaction) => {
      await database.query('select from chat_members where user_id = $1 for update', [ada.id], transaction);
      const reply = ada.client.call('markRead', { receiverId: bob.id, seq: 1 });
      await cancelHeld('parley');
      expect(await reply).to.include({ code: 'UNAVAILABLE', retryAfter: 1 });
    });
    expect(await ada.client.call('markRead', { receiverId: bob.id, seq: 1 })).to.include({ success: true });
  });
});
