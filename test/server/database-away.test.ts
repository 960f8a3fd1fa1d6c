import { expect } from 'chai';
import type { Client } from '../support/client.ts';
import {
  databaseUrl,
  http,
  newGroup,
  newUser,
  type RunningServer,
  startServer,
  type User,
} from '../support/harness.ts';
import { type Relay, startRelay } from '../support/relay.ts';

describe('while the database is unreachable', () => {
  let relay: Relay;
  let cutOff: RunningServer;
  let ada: User;
  let client: Client;

  beforeEach(async () => {
    relay = await startRelay(databaseUrl());
    cutOff = await startServer({ DATABASE_URL: relay.url });
    ada = await newUser(cutOff.url);
    client = await ada.connect();
    await client.call('privateMessage', { receiverId: ada.id, content: 'before' });
  });
  afterEach(async () => {
    await cutOff.close();
    await relay.cut();
  });

  it('answers every command with UNAVAILABLE, keeps the sockets, and continues when the database is back', async () => {
    await relay.cut();
    const commands: [string, object][] = [
      ['privateMessage', { receiverId: ada.id, content: 'lost?' }],
      ['newGroup', { groupName: 'x' }],
      ['listLastMessage', {}],
      ['getlatestMessageDialog', { receiverId: ada.id }],
    ];
    for (const [type, params] of commands) {
      const { code, message } = await client.call(type, params);
      expect([type, code]).to.deep.equal([type, 'UNAVAILABLE']);
      expect(message).not.to.match(/ECONN|SQL|127\.0\.0\.1/);
    }

    await relay.restore();
    const { params } = await client.call('privateMessage', { receiverId: ada.id, content: 'after' });
    expect(params.seq).to.equal(2);
    const { data } = (await client.call('getlatestMessageDialog', { receiverId: ada.id })).params;
    expect(data.map((row: { content: string }) => row.content)).to.deep.equal(['after', 'before']);
  });

  it('loses no acknowledged message when the outage begins in the middle of sending', async () => {
    const acknowledged = new Set<number>();
    const ids = new Set<string>();
    let round = 0;
    const pump = setInterval(() => {
      for (let n = 0; n < 50; n++)
        ids.add(client.send('privateMessage', { receiverId: ada.id, content: `${++round}` }));
    }, 1);
    const counting = (async () => {
      for (;;) {
        const { id, params } = await client.next(({ id }) => ids.has(id));
        ids.delete(id);
        if (params) acknowledged.add(params.seq);
        if (acknowledged.size > 500 && ids.size === 0) return;
      }
    })();
    while (acknowledged.size < 300) await new Promise((done) => setImmediate(done));
    await relay.cut();
    await relay.restore();
    while (acknowledged.size < 600) await new Promise((done) => setImmediate(done));
    clearInterval(pump);
    await counting;

    const seqs: number[] = [];
    for (let page = 1; seqs.at(-1) !== 1; page++) {
      const { data } = (await client.call('getlatestMessageDialog', { receiverId: ada.id, limit: 100, page }))
        .params;
      seqs.push(...data.map((row: { seq: number }) => row.seq));
    }
    expect(seqs.toReversed()).to.deep.equal(Array.from({ length: seqs.length }, (_, index) => index + 1));
    for (const seq of acknowledged) expect(seq).to.be.at.most(seqs.length);
  });

  it('pushes a committed message whose commit was not answered, once it is sent again', async () => {
    const [bob, cleo] = [await newUser(cutOff.url), await newUser(cutOff.url)];
    const [b, c] = [await bob.connect(), await cleo.connect()];
    const groupId = await newGroup(client, bob);
    const dialog = { receiverId: cleo.id, content: 'to Cleo' };
    await client.done('privateMessage', dialog);
    await Promise.all([b.rest(), c.rest()]);
    for (const [type, params, receiver, expected] of [
      ['messageInGroup', { groupId, content: 'to all' }, b, 3],
      ['privateMessage', dialog, c, 2],
    ] as const) {
      const once = { ...params, clientMessageId: type };
      relay.mute(); // requests arrive, and no answer comes back
      const lost = client.call(type, once);
      await new Promise((resolve) => setTimeout(resolve, 300));
      relay.drop();
      expect(await lost).to.include({ code: 'UNAVAILABLE' });
      const { seq } = await client.done(type, once);
      expect(seq).to.equal(expected);
      const { params: pushed } = await receiver.push(type);
      expect(pushed).to.include({ seq, message: params.content });
      expect((await client.rest()).filter((frame) => frame.type === type)).to.deep.equal([]);
      await client.done(type, once); // a repeat, which is not pushed
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(await receiver.rest()).to.deep.equal([]);
    }
  });

  it('bounds the commands that wait for a stalled database, and loses none of them', async () => {
    relay.hold();
    const count = 22_000;
    const ids = Array.from({ length: count }, (_, n) =>
      client.send('privateMessage', { receiverId: ada.id, content: `${n}` }),
    );
    const isFull = async () => / 20000$/m.test((await http('GET', '/metrics', { url: cutOff.url })).body);
    while (!(await isFull()));
    relay.release();

    const answers = [];
    for (const id of ids) answers.push(await client.reply(id));
    const refused = answers.filter(({ code }) => code === 'UNAVAILABLE');
    expect(refused.length).to.be.within(1, 2_000);
    const seqs = answers.filter(({ success }) => success).map(({ params }) => params.seq);
    expect(seqs).to.deep.equal(Array.from({ length: count - refused.length }, (_, index) => index + 2));
    const { params } = await client.call('privateMessage', { receiverId: ada.id, content: 'at once again' });
    expect(params.seq).to.equal(seqs.length + 2);
  });

  it('answers HTTP calls and upgrades with 503, and reports that the server is not ready', async () => {
    await relay.cut();
    const { url } = cutOff;
    expect((await http('GET', '/health/live', { url })).status).to.equal(200);
    expect((await http('GET', '/health/ready', { url })).body).to.include({
      error: true,
      code: 'UNAVAILABLE',
    });
    const { username, password, token } = ada;
    for (const [method, path, body] of [
      ['POST', '/auth/login', { username, password }],
      ['PATCH', '/users/me', { username }],
    ] as const) {
      const reply = await http(method, path, { body, token, url });
      expect([reply.status, reply.body.code]).to.deep.equal([503, 'UNAVAILABLE']);
      expect(reply.headers.get('retry-after')).to.equal('1');
    }
    expect(await ada.connect().catch(({ status }) => status)).to.equal(503);

    await relay.restore();
    expect((await http('GET', '/health/ready', { url })).status).to.equal(200);
  });
});
