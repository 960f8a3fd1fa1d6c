import { expect } from 'chai';
import pg from 'pg';
import type { Client, Frame } from '../support/client.ts';
import { database, databaseUrl, newClients, newGroup, startServer } from '../support/harness.ts';
import { until } from '../support/until.ts';

const holders: pg.Client[] = [];

/** Locks groups, so that changes of them wait, until the returned function is called. */
async function holdGroups(...groupIds: number[]): Promise<() => Promise<void>> {
  const holder = new pg.Client(databaseUrl());
  holders.push(holder);
  await holder.connect();
  await holder.query('begin');
  await holder.query('select from chats where id = any ($1) order by id for update', [groupIds]);
  return () => holder.end();
}

/** Resolves once a number of statements wait for a lock. */
const waiting = (count: number) =>
  until(async () => {
    const rows = await database.query(
      `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      [],
    );
    return rows.length >= count;
  });

/** Returns the next pushed message of a group. */
async function pushIn(client: Client, groupId: number): Promise<Frame> {
  const isOfGroup = ({ type, id, params }: Frame) =>
    type === 'messageInGroup' && id === undefined && params.groupId === groupId;
  return (await client.next(isOfGroup, 'a message in the group')).params;
}

describe('a change of a group that waits', () => {
  afterEach(() => Promise.all(holders.splice(0).map((holder) => holder.end())));

  it('delays no message and no change of another chat, and keeps those of its own chat in order', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const other = await newGroup(bob.client, ada);
    const release = await holdGroups(groupId);
    const change = ada.client.call('updateGroup', { groupId, description: 'waits' });
    await waiting(1);
    const held = [1, 2, 3].map((n) => bob.client.send('messageInGroup', { groupId, content: `held ${n}` }));
    const third = await ada.connect();
    expect((await third.done('privateMessage', { receiverId: bob.id, content: 'at once' })).seq).to.equal(1);
    expect((await third.done('messageInGroup', { groupId: other, content: 'at once' })).seq).to.equal(3);
    await (await bob.connect()).done('updateGroup', { groupId: other, description: 'changed' });
    await release();
    expect((await change).params.seq).to.equal(3);
    expect(await Promise.all(held.map(async (id) => (await bob.client.reply(id)).params.seq))).to.deep.equal([
      4, 5, 6,
    ]);
    for (const n of [1, 2, 3])
      expect(await pushIn(ada.client, groupId)).to.include({ message: `held ${n}`, seq: 3 + n });
  });

  it('applies its effect to messages that were sent after it', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await bob.client.done('messageInGroup', { groupId, content: 'may write' });
    const release = await holdGroups(groupId);
    const change = ada.client.call('removeUserFromGroup', { groupId, userId: bob.id });
    await waiting(1);
    const held = bob.client.send('messageInGroup', { groupId, content: 'too late' });
    const own = (await ada.connect()).call('messageInGroup', { groupId, content: 'may go on' });
    await release();
    expect((await change).params.seq).to.equal(4);
    expect((await bob.client.reply(held)).code).to.equal('NOT_A_MEMBER');
    expect((await own).params.seq).to.equal(5);
  });

  it('does not delay messages that arrived between it and the next change', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const release = await holdGroups(groupId);
    const first = ada.client.call('updateGroup', { groupId, description: 'first' });
    await waiting(1);
    const message = bob.client.send('messageInGroup', { groupId, content: 'between' });
    const second = (await ada.connect()).call('updateGroup', { groupId, description: 'second' });
    await release();
    const seqs = [await first, await bob.client.reply(message), await second].map(({ params }) => params.seq);
    expect(seqs.toSorted()).to.deep.equal([3, 4, 5]);
    expect(seqs[0]).to.equal(3);
  });

  it('does not delay messages of its own group until it has a connection to the database', async () => {
    const [ada, bob] = await newClients(2);
    const [groupId, busy] = [await newGroup(ada.client, bob), await newGroup(ada.client)];
    const node = await startServer({ DATABASE_POOL_SIZE: '2' }); // one of them for changes
    try {
      const [a, b] = [await ada.connect(node.url), await bob.connect(node.url)];
      const writer = await ada.connect(node.url);
      const release = await holdGroups(busy);
      const first = a.call('updateGroup', { groupId: busy, description: 'has the connection' });
      await waiting(1);
      const change = b.call('leaveGroup', { groupId });
      for (const seq of [3, 4])
        expect((await writer.done('messageInGroup', { groupId, content: 'on its way' })).seq).to.equal(seq);
      await release();
      expect((await first).success).to.equal(true);
      expect((await change).params.seq).to.equal(5);
    } finally {
      await node.close();
    }
  });
});
