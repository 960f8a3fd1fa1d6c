import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { Webhook } from 'standardwebhooks';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { outcomeOf } from '../../src/webhooks/EndpointDelivery.ts';
import type { PostOptions, Resolve } from '../../src/webhooks/post.ts';
import { adminOn } from '../support/admin.ts';
import { makeCertificate } from '../support/certificate.ts';
import {
  database,
  freePort,
  http,
  metric,
  newClients,
  server,
  startServer,
  temporaryFolder,
} from '../support/harness.ts';
import { type Delivery, type Receiver, startReceiver } from '../support/receiver.ts';
import { startRelay } from '../support/relay.ts';
import { createDatabase } from '../support/run.ts';
import { until } from '../support/until.ts';

const admin = (db: Database, ...words: string[]) => adminOn(db, words, { WEBHOOK_PRIVATE_NETWORKS: 'on' });

const contentsOf = (deliveries: readonly Delivery[]) =>
  deliveries.flatMap(({ events }) => events.map(({ state }) => state.message));

describe('webhooks', () => {
  const receivers: Receiver[] = [];
  const webhooks: number[] = [];

  /** Starts a receiver and creates a webhook for it. */
  async function subscribe(answers: (number | null)[], ...options: string[]) {
    const receiver = await startReceiver(answers);
    receivers.push(receiver);
    const { id, secret } = await admin(database, 'webhook', 'create', receiver.url, ...options);
    webhooks.push(id);
    return { receiver, received: receiver.received, id: String(id), secret: secret as string };
  }

  /** Returns how a webhook is listed. */
  const listed = async (id: string) =>
    (await admin(database, 'webhook', 'list')).find((webhook: { id: number }) => webhook.id === Number(id));

  /** Returns a function that sends a message to everybody's webhooks. */
  async function sender(): Promise<(content: string) => Promise<unknown>> {
    const [ada, bob] = await newClients(2);
    return (content) => ada.client.done('privateMessage', { receiverId: bob.id, content });
  }

  /** Resolves once no node delivers. */
  const isReleased = async (id: string) =>
    (
      await database.query(`select from event_consumers where name = $1 and holder is null`, [
        `webhook:${id}`,
      ])
    ).length === 1;

  /** Pauses a webhook that a node serves; resolves once it does no longer. */
  async function pauseServed(id: string): Promise<void> {
    await until(async () => !(await isReleased(id)));
    await admin(database, 'webhook', 'pause', id);
    await until(() => isReleased(id));
  }

  afterEach(async () => {
    for (const id of webhooks.splice(0))
      await admin(database, 'webhook', 'delete', `${id}`, '--yes').catch(() => {});
    await Promise.all(receivers.splice(0).map((receiver) => receiver.close()));
  });

  it('are posted in order, signed as in the specification of Standard Webhooks', async () => {
    const { received, secret } = await subscribe([200], '--types', 'message');
    const send = await sender();
    for (const content of ['one', 'two', 'three']) await send(content);
    await until(() => contentsOf(received).length >= 3);
    expect(contentsOf(received)).to.deep.equal(['one', 'two', 'three']);
    for (const { headers, body, events } of received) {
      expect(headers).to.include({ 'content-type': 'application/json', 'user-agent': 'Parley' });
      expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000)).to.be.below(60);
      const payload = new Webhook(secret).verify(body, headers);
      expect(payload).to.deep.equal({ type: 'events', timestamp: events.at(-1)?.time, data: { events } });
      expect(() => new Webhook(secret).verify(`${body} `, headers)).to.throw('No matching signature');
    }
    expect(new Set(received.map(({ id }) => id)).size).to.equal(received.length);
    expect(await metric(server, 'parley_webhook_attempts_total{outcome="accepted"}')).to.be.at.least(1);
  });

  it('have only the requested types, and a secret of the operator', async () => {
    const own = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
    const { received, secret } = await subscribe([200], '--types', 'edit,pin', '--secret', own);
    expect(secret).to.equal(own);
    const [ada, bob] = await newClients(2);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'a' });
    await ada.client.done('editMessage', { messageId, content: 'b' });
    await until(() => received.length > 0);
    expect(received[0]?.events.map(({ type }) => type)).to.deep.equal(['edit']);
    new Webhook(own).verify(received[0]?.body ?? '', received[0]?.headers ?? {});
  });

  it('are retried with the same id and events, with a new signature, before anything else', async () => {
    const { receiver, received, id, secret } = await subscribe([null], '--types', 'message');
    const send = await sender();
    await send('one');
    await until(() => received.length === 1);
    const first = received[0] as Delivery;
    await send('two');
    await until(() => Math.floor(Date.now() / 1000) > Number(first.headers['webhook-timestamp']));
    receiver.answers = [null, 200];
    first.answer(503);
    await until(() => received.length === 2);
    expect(await listed(id)).to.deep.include({ state: 'active', lastFailure: 'status 503' });
    expect((await listed(id)).attempts).to.equal(1);
    received[1]?.answer(500);
    await until(() => contentsOf(received).includes('two'));

    const retries = received.slice(1, 3);
    expect(retries.map(({ body }) => body)).to.deep.equal([first.body, first.body]);
    for (const retry of retries) {
      expect(retry.id).to.equal(first.id);
      expect(retry.headers['webhook-timestamp']).to.not.equal(first.headers['webhook-timestamp']);
      expect(retry.headers['webhook-signature']).to.not.equal(first.headers['webhook-signature']);
      new Webhook(secret).verify(retry.body, retry.headers);
    }
    expect(contentsOf(received)).to.deep.equal(['one', 'one', 'one', 'two']);
    expect(received[3]?.id).to.not.equal(first.id);
    await until(async () => (await listed(id)).attempts === 0);
    expect(await listed(id)).to.include({ failingSince: null, nextAttemptAt: null, lagSeconds: 0 });
    expect(await metric(server, 'parley_webhook_attempts_total{outcome="rejected"}')).to.be.at.least(2);
  });

  it('show how old the oldest event is that was not accepted, during an attempt and between two', async () => {
    const { receiver, received, id } = await subscribe([null], '--types', 'message');
    const lag = () => metric(server, 'parley_webhook_lag_seconds');
    await (await sender())('late');
    await until(() => received.length === 1);
    await until(async () => (await lag()) >= 1);
    receiver.answers = [500];
    received[0]?.answer(500);
    await until(async () => (await listed(id)).attempts > 2);
    expect(await lag()).to.be.at.least(1);
    expect((await listed(id)).lagSeconds).to.be.at.least(1);
    receiver.answers = [200];
    await until(async () => (await lag()) === 0);
  });

  it('are paused by 410 at once, and resumed with the same batch', async () => {
    const { receiver, received, id } = await subscribe([410], '--types', 'message');
    const paused = () => metric(server, 'parley_webhooks_paused');
    await until(async () => (await paused()) === 0);
    const pauses = await metric(server, 'parley_webhook_pauses_total');
    await (await sender())('unwanted');
    await until(async () => (await listed(id)).state === 'paused');
    expect(await listed(id)).to.include({ pauseReason: 'the endpoint answered 410', attempts: 1 });
    await until(async () => (await paused()) === 1);
    expect(await metric(server, 'parley_webhook_pauses_total')).to.equal(pauses + 1);

    receiver.answers = [200];
    expect(await admin(database, 'webhook', 'resume', id)).to.include({ state: 'active', pausedAt: null });
    await until(() => received.length === 2);
    expect(received[1]?.id).to.equal(received[0]?.id);
    await until(async () => (await paused()) === 0);
  });

  it('are paused when a batch has not been accepted for 24 hours', async () => {
    const { received, id } = await subscribe([500], '--types', 'message');
    await (await sender())('in vain');
    await until(async () => (await listed(id)).attempts >= 1);
    const age = (hours: number) =>
      database.execute(
        `update webhooks set failing_since = failing_since - make_interval(hours => $2::int), next_attempt_at = null
where id = $1`,
        [id, hours],
      );
    await age(23);
    const { attempts } = await listed(id);
    await until(async () => (await listed(id)).attempts > attempts);
    const { state, attempts: failed, lastFailureAt, nextAttemptAt } = await listed(id);
    expect(state).to.equal('active');
    expect(Date.parse(nextAttemptAt) - Date.parse(lastFailureAt)).to.be.within(0, 1_000 * 2 ** (failed - 1));
    await age(1);
    await until(async () => (await listed(id)).state === 'paused');
    expect((await listed(id)).pauseReason).to.equal('no success for 24 hours: status 500');
    expect(new Set(received.map((delivery) => delivery.id)).size).to.equal(1);
  });

  it('are paused and resumed by an operator without a loss, also during an attempt, which is finished', async () => {
    const { receiver, received, id } = await subscribe([null], '--types', 'message');
    const send = await sender();
    await send('one');
    await until(() => received.length === 1);
    const paused = await admin(database, 'webhook', 'pause', id);
    expect(paused).to.include({ state: 'paused', pauseReason: 'by an operator' });
    receiver.answers = [200];
    received[0]?.answer(204);
    await until(() => isReleased(id));
    await send('two');
    await until(async () => (await listed(id)).lagSeconds !== null);
    await admin(database, 'webhook', 'resume', id);
    await until(() => received.length === 2);
    expect(contentsOf(received)).to.deep.equal(['one', 'two']);
  });

  it('are replayed from a time, with new ids, after the attempt that is under way', async () => {
    const { receiver, received, id } = await subscribe([200, null], '--types', 'message');
    const send = await sender();
    await send('one');
    await until(() => received.length === 1);
    for (const table of ['messages', 'events']) // a replay begins a minute before its time
      await database.execute(`update ${table} set created_at = created_at - interval '1 hour'`, []);
    await send('two');
    await until(() => received.length === 2);
    const replayed = admin(database, 'webhook', 'replay', id, new Date().toISOString());
    await until(async () => (await listed(id)).state === 'paused');
    receiver.answers = [200];
    received[1]?.answer(200);
    expect(await replayed).to.include({ state: 'active' });
    await until(() => received.length === 3);
    expect(contentsOf(received)).to.deep.equal(['one', 'two', 'two']);
    expect(received[2]?.id).to.not.equal(received[1]?.id);
  });

  it('are replayed from the beginning', async () => {
    const send = await sender();
    await send('before the webhook');
    const { received, id } = await subscribe([200], '--types', 'message');
    await admin(database, 'webhook', 'replay', id, 'beginning');
    await until(() => contentsOf(received).includes('before the webhook'));
  });

  it('are not delivered any more by a node that has lost its lease, which aborts its attempt', async () => {
    const { receiver, received, id } = await subscribe([null], '--types', 'message');
    await (await sender())('taken');
    await until(() => received.length === 1);
    const setLease = (holder: string | null) =>
      database.execute(
        `update event_consumers set holder = $2, lease_until = clock_timestamp() + interval '1 hour' where name = $1`,
        [`webhook:${id}`, holder],
      );
    await setLease('another node');
    await until(() => received[0]?.isEnded === true);
    receiver.answers = [200];
    await setLease(null);
    await until(() => received.length === 2);
    expect(received[1]?.id).to.equal(received[0]?.id);
    expect(await listed(id)).to.include({ lastFailure: null });
  });

  it('are retried later after a fault of the server', async () => {
    const { received, id, secret } = await subscribe([200], '--types', 'message');
    const setSecret = (value: string) =>
      database.execute('update webhooks set secret = $2 where id = $1', [id, value]);
    await pauseServed(id);
    await setSecret('');
    await admin(database, 'webhook', 'resume', id);
    await (await sender())('unsigned');
    await until(async () => (await listed(id)).attempts > 0);
    expect((await listed(id)).lastFailure).to.equal('a fault of the server, which is in the log');
    expect(received).to.be.empty;
    await setSecret(secret);
    await until(() => received.length === 1);
  });

  it('end when they are deleted, with their place, also during an attempt', async () => {
    const { received, id } = await subscribe([null], '--types', 'message');
    await (await sender())('last');
    await until(() => received.length === 1);
    expect(await admin(database, 'webhook', 'delete', id, '--yes')).to.deep.equal({ deleted: Number(id) });
    received[0]?.answer(200);
    await until(() => received[0]?.isEnded === true);
    expect(await listed(id)).to.equal(undefined);
    const place = await database.query('select from event_consumers where name = $1', [`webhook:${id}`]);
    expect(place).to.be.empty;
  });

  it('are paused if events after their place are lost, until an operator chooses another place', async () => {
    const { received, id } = await subscribe([200], '--types', 'message');
    await pauseServed(id);
    const lose = `update event_consumers set cursor = jsonb_set(cursor, '{time}', '0') where name = $1`;
    await database.execute(lose, [`webhook:${id}`]);
    const refusal = await admin(database, 'webhook', 'resume', id).catch((error) => error);
    expect(refusal).to.include({ code: 'CONFLICT' });
    expect(refusal.message).to.match(/older than 7 days.* "webhook replay"/);

    await database.execute('update webhooks set paused_at = null where id = $1', [id]);
    await until(async () => (await listed(id)).state === 'paused');
    expect(await listed(id)).to.deep.include({
      pauseReason: 'The cursor is older than 7 days, for which events are kept',
      lagSeconds: null,
    });
    await admin(database, 'webhook', 'replay', id, new Date().toISOString());
    await (await sender())('again');
    await until(() => contentsOf(received).includes('again'));
  });

  it('are received by the example of docs/beside-your-product.md', async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/`;
    const { id, secret } = await admin(database, 'webhook', 'create', url, '--types', 'message');
    webhooks.push(id);
    const text = await readFile('docs/beside-your-product.md', 'utf8');
    const [, code = ''] = /^```js\n([^`]*?standardwebhooks.*?)^```/ms.exec(text) ?? [];
    const file = join(await temporaryFolder(), 'receiver.mjs');
    const package_ = import.meta.resolve('standardwebhooks');
    await writeFile(file, code.replace("'standardwebhooks'", `'${package_}'`).replace('8080', `${port}`));
    const child = spawn(process.execPath, [file], { env: { WEBHOOK_SECRET: secret } });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    try {
      await (await sender())('Hello');
      await until(() => /^\d+ message Hello$/m.test(output));
      const { status } = await fetch(url, { method: 'POST', body: '{}' });
      expect(status).to.equal(400);
    } finally {
      child.kill();
      await once(child, 'exit');
    }
  });

  it('are listed without their secret', async () => {
    const { receiver, id, secret } = await subscribe([200], '--types', 'pin');
    const list = await admin(database, 'webhook', 'list');
    expect(JSON.stringify(list)).to.not.include(secret).and.not.include('whsec_');
    const { createdAt, ...webhook } = list.find((one: { id: number }) => one.id === Number(id));
    expect(new Date(createdAt).toISOString()).to.equal(createdAt);
    expect(webhook).to.deep.equal({
      ...{ id: Number(id), url: receiver.url, types: ['pin'], state: 'active', lagSeconds: 0, attempts: 0 },
      ...{ pausedAt: null, pauseReason: null, failingSince: null, nextAttemptAt: null },
      ...{ lastSuccessAt: null, lastFailureAt: null, lastFailure: null },
    });
  });

  for (const [words, problem] of [
    [['create', 'ftp://example.com'], /^<url> is not an https/],
    [['create', 'https://user:pass@example.com'], /^<url> contains credentials/],
    [['create', 'https://example.com', '--types', 'message,nothing'], /^There is no type "nothing"/],
    [['create', 'https://example.com', '--types', ''], /^There is no type ""/],
    [['create', 'https://example.com', '--secret', 'short'], /^--secret is not a secret/],
    [['create', 'https://example.com', '--secret', 'whsec_c2hvcnQ='], /^--secret is not a secret/],
    [['pause', '0'], /^There is no webhook 0/],
    [['pause', '999999'], /^There is no webhook 999999/],
    [['resume', '999999'], /^There is no webhook 999999/],
    [['replay', '999999', 'beginning'], /^There is no webhook 999999/],
    [['replay', '1', 'yesterday'], /^"yesterday" is not a time/],
    [['replay', '1', '2026-01-31T12:00:00'], /is not a time/],
    [['replay', '1', '2020-01-31T12:00:00Z'], /^The time is not within the last 7 days/],
    [['replay', '1', '2999-01-31T12:00:00Z'], /^The time is not within the last 7 days/],
    [['delete', '999999', '--yes'], /^There is no webhook 999999/],
    [['delete', '1'], /^This cannot be undone/],
  ] as const)
    it(`refuse the command ${words.join(' ')}`, async () => {
      const refusal = await admin(database, 'webhook', ...words).catch((error: Error) => error.message);
      expect(refusal).to.match(problem);
    });
});

describe('webhooks of a database of their own', () => {
  let db: Database;
  let url: string;
  let receiver: Receiver;
  const happen = () => db.execute(`insert into events (type, user_id) values ('userUpdated', 1)`, []);
  const holder = async () =>
    (await db.query<{ holder: string | null }>('select holder from event_consumers', []))[0]?.holder;

  before(async () => {
    url = await createDatabase();
    db = openDatabase(url, 4);
    receiver = await startReceiver([null]);
  });
  after(async () => {
    await receiver.close();
    await db.close();
  });

  it('are refused to private addresses by default', async () => {
    const node = await startServer({ DATABASE_URL: url, WEBHOOK_PRIVATE_NETWORKS: 'off' });
    const { id } = await admin(db, 'webhook', 'create', receiver.url);
    await happen();
    let failure: string | null = null;
    await until(async () => {
      [{ lastFailure: failure }] = await admin(db, 'webhook', 'list');
      return failure !== null;
    });
    expect(failure).to.match(/WEBHOOK_PRIVATE_NETWORKS=on$/);
    expect(receiver.received).to.be.empty;
    await admin(db, 'webhook', 'delete', `${id}`, '--yes');
    await node.close();
  });

  it('are delivered by one node, and by another one at once when it stops, which aborts its attempt', async () => {
    const { id } = await admin(db, 'webhook', 'create', receiver.url);
    const first = await startServer({ DATABASE_URL: url });
    await until(async () => Boolean(await holder()));
    const held = await holder();
    const second = await startServer({ DATABASE_URL: url });
    await happen();
    await until(() => receiver.received.length === 1);
    expect(await holder()).to.equal(held);

    receiver.answers = [200];
    await first.stop();
    await until(() => receiver.received.length === 2);
    expect(receiver.received[1]?.id).to.equal(receiver.received[0]?.id);
    expect(await holder()).to.not.equal(held);
    await second.stop();
    expect(await holder()).to.equal(null);
    await admin(db, 'webhook', 'delete', `${id}`, '--yes');
  });

  it('continue after an outage of the database: a batch whose acceptance was not stored comes again under its id', async () => {
    const { id } = await admin(db, 'webhook', 'create', receiver.url);
    const relay = await startRelay(url);
    const node = await startServer({ DATABASE_URL: relay.url });
    const before = receiver.received.length;
    const received = () => receiver.received.slice(before);
    receiver.answers = [null];
    await happen();
    await until(() => received().length === 1);
    await relay.cut();
    await happen();
    received()[0]?.answer(200);
    receiver.answers = [200];
    await until(async () => (await http('GET', '/health/ready', { url: node.url })).status === 503);
    expect(received().length).to.equal(1);

    await relay.restore();
    await until(() => received().length === 3);
    const [first, repeated, next] = received();
    expect(repeated?.id).to.equal(first?.id);
    expect(repeated?.events).to.deep.equal(first?.events);
    expect(next?.events.map(({ eventId }) => eventId))
      .to.have.length(1)
      .and.not.include(first?.events[0]?.eventId);
    await node.close();
    await relay.cut();
    await admin(db, 'webhook', 'delete', `${id}`, '--yes');
  });
});

describe('an attempt to deliver', () => {
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await startReceiver([200]);
  });
  afterEach(() => receiver.close());

  const attempt = (url: string, options: Partial<PostOptions> = {}) =>
    outcomeOf(url, { 'content-type': 'text/plain' }, '', {
      ...{ allowsPrivate: true, timeout: 30_000, signal: new AbortController().signal },
      ...options,
    });
  const resolveTo =
    (...addresses: string[]): Resolve =>
    (_, __, callback) =>
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
  const named = () => receiver.url.replace('127.0.0.1', 'receiver.example');

  it('reaches the address of a name', async () => {
    const result = await attempt(named(), { resolve: resolveTo('127.0.0.1') });
    expect(result).to.deep.equal({ outcome: 'accepted', problem: 'status 200' });
  });

  it('is rejected by an answer that changes the protocol, after which it ends', async () => {
    const upgrading = createTcpServer((socket) => {
      socket.on('error', () => {}); // the attempt closes it
      socket.once('data', () => socket.write('HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'));
    }).listen(0, '127.0.0.1');
    await once(upgrading, 'listening');
    const { port } = upgrading.address() as AddressInfo;
    const result = await attempt(`http://127.0.0.1:${port}`);
    expect(result).to.deep.equal({ outcome: 'rejected', problem: 'status 101' });
    upgrading.close();
    await once(upgrading, 'close');
  });

  for (const [status, outcome] of [
    [299, 'accepted'],
    [410, 'gone'],
    [302, 'rejected'],
    [307, 'rejected'],
    [404, 'rejected'],
    [500, 'rejected'],
  ] as const)
    it(`is ${outcome} by status ${status}, and follows no redirect`, async () => {
      receiver.answers = [status];
      expect(await attempt(receiver.url)).to.deep.equal({ outcome, problem: `status ${status}` });
      expect(receiver.redirected).to.equal(0);
    });

  for (const addresses of [
    ['127.0.0.1'],
    ['10.1.2.3'],
    ['169.254.169.254'],
    ['::1'],
    ['::ffff:127.0.0.1'],
    ['64:ff9b::7f00:1'],
    ['8.8.8.8', '127.0.0.1'],
  ])
    it(`is refused if the name resolves to ${addresses.join(' and ')}`, async () => {
      const url = named().replace('http:', 'https:');
      const result = await attempt(url, { allowsPrivate: false, resolve: resolveTo(...addresses) });
      expect(result).to.deep.equal({
        outcome: 'refused',
        problem: `the name has the private address ${addresses.at(-1)}; WEBHOOK_PRIVATE_NETWORKS=on allows it`,
      });
      expect(receiver.received).to.be.empty;
    });

  it('is refused to a private address in the URL', async () => {
    const { outcome } = await attempt('https://[::ffff:7f00:1]/', { allowsPrivate: false });
    expect(outcome).to.equal('refused');
  });

  it('ends after its timeout', async () => {
    receiver.answers = [null];
    const result = await attempt(receiver.url, { timeout: 50 });
    expect(result).to.deep.equal({ outcome: 'timeout', problem: 'no answer in time' });
  });

  it('ends when it is aborted', async () => {
    receiver.answers = [null];
    const aborting = new AbortController();
    const result = attempt(receiver.url, { signal: aborting.signal });
    await until(() => receiver.received.length === 1);
    aborting.abort();
    expect(await result).to.include({ outcome: 'failed' });
  });

  it('fails if nobody listens, or the name does not exist', async () => {
    await receiver.close();
    expect(await attempt(receiver.url)).to.deep.equal({ outcome: 'failed', problem: 'ECONNREFUSED' });
    receiver = await startReceiver([200]);
    const resolve: Resolve = (_, __, callback) =>
      callback(Object.assign(new Error('none'), { code: 'ENOTFOUND' }), []);
    expect(await attempt(named(), { resolve })).to.deep.equal({ outcome: 'failed', problem: 'ENOTFOUND' });
  });

  it('fails if the certificate is not trusted', async () => {
    const { cert, key } = makeCertificate(await temporaryFolder());
    const secure = await startReceiver([200], { cert: await readFile(cert), key: await readFile(key) });
    const result = await attempt(secure.url);
    await secure.close();
    expect(result).to.deep.equal({ outcome: 'failed', problem: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    expect(secure.received).to.be.empty;
  });

  it('ends with the status of an answer that never ends', async () => {
    const endless = createServer((_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'.repeat(50_000)), 1);
      response.on('close', () => clearInterval(timer));
    }).listen(0, '127.0.0.1');
    await once(endless, 'listening');
    const { port } = endless.address() as AddressInfo;
    const { outcome } = await attempt(`http://127.0.0.1:${port}`);
    expect(outcome).to.equal('accepted');
    endless.close();
    await once(endless, 'close');
  });
});
