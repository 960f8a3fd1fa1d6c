import { expect } from 'chai';
import { revokeKey } from '../../src/auth/serviceKeys.ts';
import {
  type Event,
  type EventSubscription,
  ParleyError,
  type Service,
  type SubscribeOptions,
  type SubscriptionState,
} from '../../src/client/service/index.ts';
import {
  database,
  freePort,
  newClients,
  newGroup,
  newKey,
  newUsers,
  type Person,
  server,
  startServer,
  typedService,
} from '../support/harness.ts';
import { type Relay, startRelay } from '../support/relay.ts';
import { until } from '../support/until.ts';

const ALL = ['act', 'users', 'groups', 'events'] as const;
const newService = async (url = server.url): Promise<Service> =>
  typedService((await newKey(...ALL)).key, url);

/** Resolves to the code with which a promise rejects. */
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => expect.fail('it did not reject'),
    (error: unknown) => {
      expect(error).to.be.an.instanceOf(ParleyError);
      return (error as ParleyError).code;
    },
  );

describe('the client of a service connection', () => {
  let relay: Relay;

  before(async () => {
    relay = await startRelay(server.url);
  });
  afterEach(() => relay.reset());
  after(() => relay.cut());

  it('runs service commands, and commands of users for them', async () => {
    const service = await newService();
    const externalId = `typed-${process.pid}`;
    const { data } = await service.call('upsertUsers', { users: [{ externalId, username: externalId }] });
    expect(data).to.have.length(1);
    const [ada] = await newClients(1);
    const { call } = service.as({ externalId });
    const { messageId } = await call('privateMessage', { receiverId: ada.id, content: 'Hi' });
    expect((await ada.client.push('privateMessage')).params).to.include({
      ...{ messageId, message: 'Hi', senderId: data[0]?.userId },
    });
    const { groupId } = await call('newGroup', { groupName: 'Order 7' });
    await service.as('owner').call('addUserInGroup', { groupId, userId: ada.id });
    expect((await ada.client.push('addUserInGroup')).params.senderId).to.equal(data[0]?.userId);
    const profile = await service.as({ userId: ada.id }).call('getProfile');
    expect(profile.data).to.include({ userId: ada.id });
  });

  it('rejects with the code of the refusal, and with the reason of an aborted call', async () => {
    const service = await newService();
    expect(await codeOf(service.as({ externalId: 'nobody' }).call('listLastMessage'))).to.equal('NOT_FOUND');
    expect(await codeOf(service.call('disableUsers', { users: [{ userId: 999_999_999 }] }))).to.equal(
      'NOT_FOUND',
    );
    const content = 'x'.repeat(70_000);
    expect(
      await codeOf(service.as({ userId: 1 }).call('privateMessage', { receiverId: 1, content })),
    ).to.equal('PAYLOAD_TOO_LARGE');
    const reason = new Error('no longer needed');
    const aborted = service.call('ping', {}, { signal: AbortSignal.abort(reason) });
    expect(await aborted.catch((error) => error)).to.equal(reason);
  });

  it('sends a call again whose reply was lost: messages are stored once, and in the order of the calls', async () => {
    const service = await newService(relay.url);
    const [ada, bob] = await newUsers(2);
    await service.online();
    const cut = relay.cutBefore('"success":true', 'answer');
    const { call } = service.as({ userId: ada.id });
    const contents = ['one', 'two', 'three'];
    const sent = await Promise.all(
      contents.map((content) => call('privateMessage', { receiverId: bob.id, content })),
    );
    await cut;
    expect(sent.map(({ seq }) => seq)).to.deep.equal([1, 2, 3]);
    const { data } = await call('getMessages', { receiverId: bob.id });
    expect(data.map(({ content }) => content)).to.deep.equal(contents);
  });

  it('rejects a call that must not be sent twice when its reply is lost', async () => {
    const service = await newService(relay.url);
    const [ada] = await newClients(1);
    const [bob] = await newUsers(1);
    const groupId = await newGroup(ada.client);
    await service.online();
    const cut = relay.cutBefore('"addUserInGroup"', 'answer');
    const add = service.as({ userId: ada.id }).call('addUserInGroup', { groupId, userId: bob.id });
    expect(await codeOf(add)).to.equal('CONNECTION_LOST');
    await cut;
    const revoke = relay.cutBefore('"revokeTokens"', 'answer');
    const users = [{ userId: bob.id }];
    expect(await codeOf(service.call('revokeTokens', { users }))).to.equal('CONNECTION_LOST');
    await revoke;
    expect((await service.call('getUsers', { users })).data).to.have.length(1);
  });

  it('does not let the commands of one user wait for those of another', async () => {
    const service = await newService();
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const held = await database.sequelize.transaction();
    await database.query('select id from chats where id = $1 for update', [groupId], held);
    let isDone = false;
    const slow = service.as({ userId: ada.id }).call('updateGroup', { groupId, description: 'x' });
    void slow.then(() => {
      isDone = true;
    });
    await service.as({ userId: bob.id }).call('updateProfile', { about: 'beside' });
    await service.call('upsertUsers', { users: [{ externalId: `beside-${ada.id}` }] });
    expect(isDone).to.equal(false);
    await held.commit();
    await slow;
  });

  it('makes the calls of an outage when the server is back, and says why it could not connect', async () => {
    const port = await freePort();
    const service = await newService(`http://127.0.0.1:${port}`);
    const failed = new Promise<Error>((resolve) => service.on('connectError', resolve));
    const call = service.call('ping');
    expect(await failed).to.include({ code: 'UNAVAILABLE' });
    const target = await startServer({ PORT: `${port}` });
    await call;
    await service.online();
    expect(service.state).to.equal('online');
    await service.close();
    await target.close();
  });

  it('says which limit refuses its connection', async () => {
    const target = await startServer({ RATE_LIMITS: 'on', SERVICE_CONNECTIONS: '1' });
    const { key } = await newKey('act');
    const first = typedService(key, target.url);
    await first.online();
    const second = typedService(key, target.url);
    const error = await new Promise<Error>((resolve) => second.on('connectError', resolve));
    expect(error).to.include({ code: 'RATE_LIMITED', message: 'At most 1 connections per key' });
    await Promise.all([first.close(), second.close()]);
    await target.close();
  });

  it('is closed when its key is revoked or wrong', async () => {
    const { key, id } = await newKey('act');
    const service = typedService(key);
    await service.online();
    await revokeKey(database, id);
    await until(() => service.state === 'closed');
    expect(await codeOf(service.call('ping'))).to.equal('UNAUTHORIZED');
    const refused = typedService(key);
    expect(await codeOf(refused.online())).to.equal('UNAUTHORIZED');
    expect(() => refused.consume('orders', {}, () => {})).to.throw(ParleyError);
  });

  it('asks for another key when one is revoked', async () => {
    const [first, second] = [await newKey('act'), await newKey('act')];
    const keys = [first.key, second.key];
    const service = typedService(async () => keys.shift() ?? second.key);
    await service.online();
    const lost = new Promise((resolve) => service.on('state', resolve));
    await revokeKey(database, first.id);
    expect(await lost).to.equal('offline');
    await service.online();
    await service.call('ping');
    expect(keys).to.deep.equal([]);
  });

  it('rejects the calls that wait when it is closed', async () => {
    const service = await newService(`http://127.0.0.1:${await freePort()}`);
    const calls = [codeOf(service.call('ping')), codeOf(service.online())];
    await service.close();
    expect(await Promise.all(calls)).to.deep.equal(['CLOSED', 'CLOSED']);
    expect(await codeOf(service.call('ping'))).to.equal('CLOSED');
  });
});

let consumers = 0;
const newConsumer = () => `typed-${++consumers}`;

/** Subscribes to messages, and keeps the batches of their contents, the states and the errors. */
function consume(
  service: Service,
  consumer: string,
  handle: (contents: readonly string[]) => unknown = () => {},
  options: SubscribeOptions = {},
) {
  const batches: string[][] = [];
  const states: SubscriptionState[] = [];
  const errors: unknown[] = [];
  const contentOf = ({ state }: Event) => `${state.message}`;
  const subscription: EventSubscription = service.consume(
    consumer,
    {
      types: ['message'],
      onState: (state) => states.push(state),
      onError: (error) => errors.push(error),
      ...options,
    },
    (events) => {
      const contents = events.map(contentOf);
      batches.push(contents);
      return handle(contents);
    },
  );
  /** Resolves when the subscription has had a state, or has had it a number of times. */
  const became = (state: SubscriptionState, times = 1) =>
    until(() => states.filter((one) => one === state).length >= times);
  return { subscription, batches, contents: () => batches.flat(), states, errors, became };
}

describe('the events of a service', () => {
  let relay: Relay;
  let ada: Person;

  before(async () => {
    relay = await startRelay(server.url);
  });
  beforeEach(async () => {
    [ada] = await newClients(1);
  });
  afterEach(() => relay.reset());
  after(() => relay.cut());

  const write = (content: string) => ada.client.done('privateMessage', { receiverId: ada.id, content });

  it('are handed over one batch after another, and continue after what was acknowledged', async () => {
    const consumer = newConsumer();
    const service = await newService();
    let running = 0;
    const first = consume(service, consumer, async () => {
      expect(++running).to.equal(1);
      await service.call('ping');
      running--;
    });
    await first.became('active');
    for (const content of ['one', 'two', 'three']) await write(content);
    await until(() => first.contents().length === 3);
    await first.subscription.close();
    await first.subscription.ended;
    expect(first.states).to.deep.equal(['active', 'closed']);
    await write('four');
    const second = consume(service, consumer);
    await until(() => second.contents().length === 1);
    expect([first.contents(), second.contents()]).to.deep.equal([['one', 'two', 'three'], ['four']]);
    expect([...first.errors, ...second.errors]).to.deep.equal([]);
  });

  it('continue after a broken connection, with what was not acknowledged once more', async () => {
    const consumer = newConsumer();
    const service = await newService(relay.url);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { became, contents, errors, states } = consume(service, consumer, () => held);
    await became('active');
    await write('one');
    await until(() => contents().length === 1);
    relay.drop();
    await became('offline');
    await write('two');
    release();
    await until(() => contents().includes('two'));
    expect(contents()).to.deep.equal(['one', 'one', 'two']);
    relay.drop();
    await became('offline', 2);
    await write('three');
    await until(() => contents().includes('three'));
    expect(contents().slice(-2)).to.deep.equal(['two', 'three']);
    // The server may take a moment to see that the connection is lost, and refuse the next one until then.
    expect(states.filter((state) => state !== 'standby')).to.deep.equal([
      ...['active', 'offline', 'active', 'offline', 'active'],
    ]);
    expect(errors).to.deep.equal([]);
  });

  it('come again after a pause when the handler throws', async () => {
    const service = await newService();
    const failure = new Error('the database is away');
    let failures = 0;
    const { became, contents, errors } = consume(service, newConsumer(), async () => {
      if (++failures === 1) throw failure;
    });
    await became('active');
    await write('one');
    await until(() => failures > 0);
    await write('two');
    await until(() => contents().length > 2);
    expect(contents()).to.deep.equal(['one', 'one', 'two']);
    expect(errors).to.deep.equal([failure]);
  });

  it('are taken over by another instance when the connection of the first has closed', async () => {
    const consumer = newConsumer();
    const services = [await newService(), await newService()] as const;
    const first = consume(services[0], consumer);
    await first.became('active');
    const second = consume(services[1], consumer);
    await second.became('standby');
    await write('one');
    await until(() => first.contents().length === 1);
    await services[0].close();
    await second.became('active');
    await write('two');
    await until(() => second.contents().length === 1);
    expect([first.contents(), second.contents()]).to.deep.equal([['one'], ['two']]);
    expect(second.errors).to.deep.equal([]);
  });

  it('wait while another connection has taken the consumer from a live one', async () => {
    const consumer = newConsumer();
    const { became, states } = consume(await newService(), consumer);
    await became('active');
    const take = `update event_consumers set holder = 'another', lease_until = clock_timestamp() + make_interval(secs => 30)
      where name = $1`;
    await database.execute(take, [consumer]);
    await became('standby');
    await database.execute('update event_consumers set holder = null where name = $1', [consumer]);
    await became('active', 2);
    expect(states).to.deep.equal(['active', 'offline', 'standby', 'active']);
  });

  it('end with an error if the cursor is too old, until the consumer is moved', async () => {
    const consumer = newConsumer();
    const service = await newService();
    const first = consume(service, consumer);
    await first.became('active');
    await first.subscription.close();
    const free = 'select from event_consumers where name = $1 and holder is null';
    await until(async () => (await database.query(free, [consumer])).length > 0);
    const age = `update event_consumers set cursor = jsonb_set(cursor, '{time}', '0') where name = $1`;
    await database.execute(age, [consumer]);
    const second = consume(service, consumer);
    expect(await codeOf(second.subscription.ended)).to.equal('CONFLICT');
    expect(second.subscription.state).to.equal('closed');
    const { nextCursor: cursor } = await service.call('listEvents', { fromNow: true });
    await service.call('acknowledgeEvents', { consumer, cursor });
    await consume(service, consumer).became('active');
  });

  it('end with an error if the key does not allow them, or is revoked', async () => {
    const denied = consume(typedService((await newKey('act')).key), newConsumer());
    expect(await codeOf(denied.subscription.ended)).to.equal('FORBIDDEN');
    const { key, id } = await newKey('events');
    const revoked = consume(typedService(key), newConsumer());
    await revoked.became('active');
    await revokeKey(database, id);
    expect(await codeOf(revoked.subscription.ended)).to.equal('UNAUTHORIZED');
  });

  it('are acknowledged before the service is closed, if the handler has begun', async () => {
    const consumer = newConsumer();
    const service = await newService();
    const closing: Promise<void>[] = [];
    const first = consume(service, consumer, async () => {
      closing.push(service.close());
      await service
        .as({ userId: ada.id })
        .call('privateMessage', { receiverId: ada.id, content: 'an answer' });
    });
    await first.became('active');
    await write('one');
    await until(() => closing.length > 0);
    await Promise.all(closing);
    expect(service.state).to.equal('closed');
    const second = consume(await newService(), consumer);
    await until(() => second.contents().length > 0);
    expect([first.contents(), second.contents()]).to.deep.equal([['one'], ['an answer']]);
  });
});
