import { expect } from 'chai';
import type { Client } from '../support/client.ts';
import { database, newClients, newUser, newUsers, startServer, type User } from '../support/harness.ts';

/** Resolves to the next push that a user is offline: nobody who left before that user is reported after it. */
const offline = (client: Client, { id }: User) =>
  client.next(
    ({ type, params }) => type === 'subscribePresence' && params.userId === id && !params.online,
    'the leaving',
    15_000,
  );

describe('getPresence', () => {
  it('returns the presence of users, in the order of the request', async () => {
    const [ada, bob] = await newClients(2);
    const away = await newUser();
    const { data } = await ada.client.done('getPresence', { userIds: [away.id, bob.id, 999_999_999] });
    expect(data).to.deep.equal([
      { userId: away.id, online: false, lastSeenAt: null },
      { userId: bob.id, online: true, lastSeenAt: null },
      { userId: 999_999_999, online: false, lastSeenAt: null },
    ]);
    expect(await ada.client.refused('getPresence', { userIds: [] })).to.equal('BAD_REQUEST');
    expect(await ada.client.refused('getPresence', { userIds: Array(101).fill(1) })).to.equal('BAD_REQUEST');
  });

  it('counts open connections to nodes that give signs of life, and those that have ended within the grace period', async () => {
    const [ada] = await newClients(1);
    const people = await newUsers(4);
    const [alive, dead, recent, past] = people.map(({ id }) => id);
    await database.execute(
      `with node as (
         insert into nodes (id, beat_at) select gen_random_uuid(), now() - silent
         from unnest(array[interval '-1 minute', interval '1 minute']) silent returning id, beat_at > now() as is_alive
       )
       insert into sessions (user_id, node_id, address, ended_at)
       select user_id, node.id, '127.0.0.1', now() + ended
       from (values ($1::bigint, true, null::interval), ($2, false, null), ($3, true, interval '1 minute'),
         ($4, true, interval '-6 seconds')) as session (user_id, is_alive, ended)
       join node using (is_alive)`,
      [alive, dead, recent, past],
    );
    const { data } = await ada.client.done('getPresence', { userIds: people.map(({ id }) => id) });
    expect(data.map(({ online }: { online: boolean }) => online)).to.deep.equal([true, false, true, false]);
  });

  it('includes connections to another node', async () => {
    const other = await startServer();
    const [ada] = await newClients(1);
    const bob = await newUser();
    const there = await bob.connect(other.url);
    await there.done('listSessions'); // so that the other node has stored its sessions
    expect((await ada.client.done('getPresence', { userIds: [bob.id] })).data[0].online).to.equal(true);
    await other.close();
  });
});

describe('subscribePresence', () => {
  it('pushes when a user connects and, after a grace period, disconnects, and nothing for a reconnect', async function () {
    this.timeout(60_000);
    const [ada] = await newClients(1);
    const bob = await newUser();
    const { data } = await ada.client.done('subscribePresence', { userIds: [bob.id] });
    expect(data).to.deep.equal([{ userId: bob.id, online: false, lastSeenAt: null }]);

    const first = await bob.connect();
    expect((await ada.client.push('subscribePresence')).params).to.include({ userId: bob.id, online: true });
    await first.close();
    const second = await bob.connect();
    await second.close();
    const left = Date.now();
    const { params } = await ada.client.next(
      ({ type }) => type === 'subscribePresence',
      'the leaving',
      15_000,
    );
    expect(params).to.include({ userId: bob.id, online: false, senderName: bob.username });
    expect(Date.now() - left).to.be.at.least(3_000);
    expect(Math.abs(Date.parse(params.lastSeenAt) - left)).to.be.below(4_000);
    const [state] = (await ada.client.done('getPresence', { userIds: [bob.id] })).data;
    expect(state).to.deep.equal({ userId: bob.id, online: false, lastSeenAt: params.lastSeenAt });
    expect(await ada.client.rest()).to.deep.equal([]);
  });

  it('pushes once for two devices that connect at the same time', async () => {
    const [ada] = await newClients(1);
    const bob = await newUser();
    await ada.client.done('subscribePresence', { userIds: [bob.id] });
    await Promise.all([bob.connect(), bob.connect(), bob.connect()]);
    expect((await ada.client.push('subscribePresence')).params).to.include({ userId: bob.id, online: true });
    expect(await ada.client.rest()).to.deep.equal([]);
  });

  it('pushes nothing when a user closes one device and another one is connected to another node', async function () {
    this.timeout(60_000);
    const other = await startServer();
    const [ada, cleo] = await newClients(2);
    const bob = await newUser();
    await ada.client.done('subscribePresence', { userIds: [bob.id, cleo.id] });
    const there = await bob.connect(other.url);
    await there.done('listSessions'); // so that the other node has stored its sessions
    const here = await bob.connect();
    expect((await ada.client.push('subscribePresence')).params).to.include({ userId: bob.id, online: true });
    await here.close();
    await cleo.client.close();
    await offline(ada.client, cleo);
    expect(await ada.client.rest()).to.deep.equal([]);
    const { data } = await ada.client.done('getPresence', { userIds: [bob.id] });
    expect(data).to.deep.equal([{ userId: bob.id, online: true, lastSeenAt: null }]);
    await other.close();
  });

  it('ends with unsubscribePresence, and has a limit', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('subscribePresence', { userIds: [bob.id] });
    await ada.client.done('unsubscribePresence', { userIds: [bob.id] });
    await bob.client.done('setPresence', { invisible: true });
    // the push that Bob is online may arrive late, but not the one that he is offline
    expect((await ada.client.rest()).filter(({ params }) => !params.online)).to.deep.equal([]);
    const many = (from: number) => Array.from({ length: 100 }, (_, n) => from + n);
    for (let n = 0; n < 10; n++)
      await ada.client.done('subscribePresence', { userIds: many(1_000_000 + n * 100) });
    expect(await ada.client.refused('subscribePresence', { userIds: [bob.id] })).to.equal('CONFLICT');
    await ada.client.done('unsubscribePresence');
    await ada.client.done('subscribePresence', { userIds: [bob.id] });
  });
});

describe('setPresence', () => {
  it('shows an invisible user as offline everywhere until the user is visible again', async () => {
    const [ada, bob] = await newClients(2);
    const device = await bob.connect();
    await ada.client.done('subscribePresence', { userIds: [bob.id] });
    await bob.client.done('setPresence', { invisible: true });
    expect((await device.push('setPresence')).params.invisible).to.equal(true);
    const { params } = await ada.client.push('subscribePresence');
    expect(params).to.include({ userId: bob.id, online: false });
    expect((await ada.client.done('getPresence', { userIds: [bob.id] })).data[0]).to.deep.equal({
      userId: bob.id,
      online: false,
      lastSeenAt: params.lastSeenAt,
    });
    expect((await ada.client.done('getProfile', { userId: bob.id })).data.online).to.equal(false);
    await bob.client.done('setPresence', { invisible: false });
    expect((await ada.client.push('subscribePresence')).params).to.include({
      userId: bob.id,
      online: true,
      lastSeenAt: null,
    });
    await bob.client.done('setPresence', { invisible: false });
    expect(await ada.client.rest()).to.deep.equal([]);
    expect(await bob.client.rest(), 'to the connection that asked for it').to.deep.equal([]);
  });

  it('counts becoming invisible as the time when the user was last seen, and becoming visible as none', async () => {
    const [ada, bob] = await newClients(2);
    const time = async () =>
      (
        await database.query<{ now: Date }>('select clock_timestamp()::timestamptz(3) as now', [])
      )[0]?.now.getTime() ?? 0;
    const lastSeen = async () =>
      Date.parse((await ada.client.done('getPresence', { userIds: [bob.id] })).data[0].lastSeenAt);
    const before = await time();
    await bob.client.done('setPresence', { invisible: true });
    const seen = await lastSeen();
    expect(seen).to.be.within(before, await time());
    await bob.client.done('setPresence', { invisible: false });
    expect((await database.users.findByPk(bob.id))?.lastSeenAt?.getTime()).to.equal(seen);
  });

  it('shows neither the coming and going of an invisible user nor when it was', async function () {
    this.timeout(60_000);
    const [ada] = await newClients(1);
    const [bob, cleo] = [await newUser(), await newUser()];
    const lastSeenAt = new Date('2026-01-01T12:00:00.000Z');
    await database.users.update({ isInvisible: true, lastSeenAt }, { where: { id: bob.id } });
    await ada.client.done('subscribePresence', { userIds: [bob.id, cleo.id] });

    const [invisible, visible] = [await bob.connect(), await cleo.connect()];
    expect((await ada.client.push('subscribePresence')).params).to.include({ userId: cleo.id, online: true });
    await invisible.close();
    await visible.close();
    await offline(ada.client, cleo);
    expect(await ada.client.rest()).to.deep.equal([]);

    await database.users.update({ isInvisible: false }, { where: { id: bob.id } });
    const { data } = await ada.client.done('getPresence', { userIds: [bob.id] });
    expect(data).to.deep.equal([{ userId: bob.id, online: false, lastSeenAt: lastSeenAt.toISOString() }]);
  });
});
