import { expect } from 'chai';
import type { Client } from '../support/client.ts';
import { database, newClients, newUser, type Person, type User } from '../support/harness.ts';
import { until } from '../support/until.ts';

const watch = async (client: Client, ...users: User[]) =>
  (await client.done('subscribePresence', { userIds: users.map(({ id }) => id) })).data;
const block = ({ client }: Person, { id: userId }: User) => client.done('blockUser', { userId });
const unblock = ({ client }: Person, { id: userId }: User) => client.done('unblockUser', { userId });
const next = async (client: Client) => {
  const { userId, online, lastSeenAt, senderName } = (await client.push('subscribePresence')).params;
  return { userId, online, lastSeenAt, senderName };
};
const nothing = ({ id: userId }: User) => ({ userId, online: false, lastSeenAt: null });
const online = ({ id: userId }: User) => ({ userId, online: true, lastSeenAt: null });
const named = <State>(state: State, { username: senderName }: User) => ({ ...state, senderName });

/** Creates users whose presence as online has been published. */
async function arrived<const Count extends number>(count: Count) {
  const people = await newClients(count);
  for (const { client } of people as Person[]) await client.done('setPresence', { invisible: false });
  return people;
}

/** Returns all presence pushes to a client, once everything sent so far has been answered. */
async function presenceOf(client: Client) {
  return (await client.rest()).filter(({ type }) => type === 'subscribePresence');
}

describe('a block between two users', () => {
  it('shows each as offline to the other on all subscribed connections, and the real state when it ends', async () => {
    const [ada, bob, cleo] = await arrived(3);
    const desk = await ada.connect();
    const watchers = [
      [ada.client, bob],
      [desk, bob],
      [bob.client, ada],
    ] as const;
    for (const [client, other] of watchers) expect(await watch(client, other)).to.deep.equal([online(other)]);
    await watch(cleo.client, ada, bob);
    await block(ada, bob);
    for (const [client, other] of watchers)
      expect(await next(client)).to.deep.equal(named(nothing(other), other));
    await unblock(ada, bob);
    for (const [client, other] of watchers)
      expect(await next(client)).to.deep.equal(named(online(other), other));
    expect(await presenceOf(cleo.client), 'no push to other users').to.deep.equal([]);

    await bob.client.done('setPresence', { invisible: true });
    for (const client of [ada.client, desk])
      expect((await next(client)).online, 'the subscription continues').to.equal(false);
  });

  it('hides from both what changes right after it', async () => {
    const [ada, bob] = await arrived(2);
    for (const [one, other] of [
      [ada, bob],
      [bob, ada],
    ] as const)
      await watch(one.client, other);
    await block(ada, bob);
    for (const { client } of [ada, bob]) await client.done('setPresence', { invisible: true });
    for (const [one, other] of [
      [ada, bob],
      [bob, ada],
    ] as const) {
      expect(await next(one.client)).to.deep.equal(named(nothing(other), other));
      expect(await presenceOf(one.client)).to.deep.equal([]);
    }
  });

  it('pushes nothing when nothing is known of the other, and hides when the other was last seen', async () => {
    const [ada] = await arrived(1);
    const [bob, cleo] = [await newUser(), await newUser()];
    const lastSeenAt = '2026-01-01T12:00:00.000Z';
    await database.users.update({ lastSeenAt: new Date(lastSeenAt) }, { where: { id: cleo.id } });
    const seen = { userId: cleo.id, online: false, lastSeenAt };
    expect(await watch(ada.client, bob, cleo)).to.deep.equal([nothing(bob), seen]);
    for (const other of [bob, cleo]) await block(ada, other);
    expect(await next(ada.client)).to.deep.equal(named(nothing(cleo), cleo));
    for (const other of [bob, cleo]) await unblock(ada, other);
    expect(await next(ada.client)).to.deep.equal(named(seen, cleo));
    expect(await presenceOf(ada.client)).to.deep.equal([]);
  });

  it('ends with the last of two blocks, from either side', async () => {
    const [ada, bob] = await arrived(2);
    await watch(ada.client, bob);
    await block(ada, bob);
    expect(await next(ada.client)).to.include(nothing(bob));
    await block(bob, ada);
    await unblock(ada, bob);
    await bob.client.done('setPresence', { invisible: true });
    await bob.client.done('setPresence', { invisible: false });
    expect(await presenceOf(ada.client)).to.deep.equal([]);
    await unblock(bob, ada);
    expect(await next(ada.client)).to.include(online(bob));
  });

  it('defers a subscription made during the block, and removes one that is cancelled', async () => {
    const [ada, bob, cleo] = await arrived(3);
    for (const other of [bob, cleo]) await block(ada, other);
    expect(await watch(ada.client, bob, cleo)).to.deep.equal([nothing(bob), nothing(cleo)]);
    await ada.client.done('unsubscribePresence', { userIds: [cleo.id] });
    for (const other of [cleo, bob]) await unblock(ada, other);
    expect(await next(ada.client)).to.deep.equal(named(online(bob), bob));
    await bob.client.done('setPresence', { invisible: true });
    expect((await next(ada.client)).online).to.equal(false);
    expect(await presenceOf(ada.client)).to.deep.equal([]);
  });

  it('defers the subscription of the blocked user as well', async () => {
    const [ada, bob] = await arrived(2);
    await block(bob, ada);
    expect(await watch(ada.client, bob)).to.deep.equal([nothing(bob)]);
    for (const invisible of [true, false]) await bob.client.done('setPresence', { invisible });
    expect(await presenceOf(ada.client)).to.deep.equal([]);
    await unblock(bob, ada);
    expect(await next(ada.client)).to.deep.equal(named(online(bob), bob));
  });

  it('counts hidden subscriptions like visible ones', async () => {
    const [ada, bob] = await arrived(2);
    await block(ada, bob);
    await watch(ada.client, bob);
    for (let n = 0; n < 9; n++)
      await ada.client.done('subscribePresence', {
        userIds: Array.from({ length: 100 }, (_, at) => 1_000_000 + n * 100 + at),
      });
    const userIds = Array.from({ length: 100 }, (_, at) => 2_000_000 + at);
    expect(await ada.client.refused('subscribePresence', { userIds })).to.equal('CONFLICT');
  });

  it('that begins and ends repeatedly leaves the subscriber with the final state', async () => {
    const [ada, bob] = await arrived(2);
    await watch(ada.client, bob);
    let isOnline = true;
    ada.client.socket.on('message', (data) => {
      const { type, params, id } = JSON.parse(String(data));
      if (type === 'subscribePresence' && id === undefined) isOnline = params.online;
    });
    for (let times = 0; times < 5; times++) {
      await Promise.all([block(ada, bob), block(bob, ada)]);
      await Promise.all([unblock(ada, bob), unblock(bob, ada)]);
    }
    await block(ada, bob);
    await until(() => !isOnline);
    await unblock(ada, bob);
    await until(() => isOnline);
    await bob.client.done('setPresence', { invisible: true });
    await until(() => !isOnline);
  });
});
