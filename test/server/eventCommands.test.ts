import { expect } from 'chai';
import type { Client, Frame } from '../support/client.ts';
import {
  connectAs,
  connectService,
  database,
  newClients,
  newGroup,
  newKey,
  newUser,
  positionIn,
} from '../support/harness.ts';
import { until } from '../support/until.ts';

let consumers = 0;
const newConsumer = () => `consumer-${++consumers}`;

/** Resolves to the params of the next batch, or of the end of a subscription. */
const nextPush = async (client: Client): Promise<Frame> => (await client.push('subscribeEvents')).params;

const contentsOf = (events: readonly Frame[]) => events.map(({ state }) => state.message);

/** Resolves to the contents of the next messages of a consumer, each batch of which is acknowledged. */
async function receive(client: Client, consumer: string, count: number): Promise<string[]> {
  const contents: string[] = [];
  while (contents.length < count) {
    const { data, nextCursor } = await nextPush(client);
    contents.push(...contentsOf(data));
    await client.done('acknowledgeEvents', { consumer, cursor: nextCursor });
  }
  return contents;
}

describe('listEvents', () => {
  it('returns what happened after a cursor, page by page, with the state that was pushed', async () => {
    const service = await connectService('events');
    const [ada, bob] = await newClients(2);
    const { nextCursor: start, data, more } = await service.done('listEvents', { fromNow: true });
    expect([data, more]).to.deep.equal([[], false]);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    const pushed = (await bob.client.push('privateMessage')).params;
    await bob.client.done('addReaction', { messageId, emoji: '👍' });

    const types = ['message', 'reaction'];
    const first = await service.done('listEvents', { cursor: start, types, limit: 1 });
    expect(first.data).to.have.length(1);
    const { data: _, ...state } = pushed;
    expect(first.data[0]).to.deep.include({ type: 'message', command: 'privateMessage', seq: 1 });
    expect(first.data[0].userIds).to.deep.equal([ada.id, bob.id].sort((one, other) => one - other));
    expect(first.data[0].state).to.deep.include(state);
    const second = await service.done('listEvents', { cursor: first.nextCursor, types });
    expect(second.data[0]).to.deep.include({ type: 'reaction', command: 'addReaction' });
    expect(second.data[0].state).to.deep.include({ emoji: '👍', count: 1, senderId: bob.id });
    const empty = await service.done('listEvents', { cursor: second.nextCursor });
    expect([empty.data, empty.more]).to.deep.equal([[], false]);
  });

  it('filters by type and by group', async () => {
    const service = await connectService('events');
    const { nextCursor: cursor } = await service.done('listEvents', { fromNow: true });
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('messageInGroup', { groupId, content: 'in the group' });
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'in the dialog' });
    const list = async (filter: object) => (await service.done('listEvents', { cursor, ...filter })).data;
    expect(contentsOf(await list({ types: ['message'] }))).to.deep.equal(['in the group', 'in the dialog']);
    expect(contentsOf(await list({ types: ['message'], groupId }))).to.deep.equal(['in the group']);
    const users = await list({ types: ['userCreated'] });
    expect(users.map(({ state }: Frame) => state.userId)).to.deep.equal([ada.id, bob.id]);
  });

  it('begins with the first event without a cursor', async () => {
    const service = await connectService('events');
    const [ada] = await newClients(1);
    await ada.client.done('privateMessage', { receiverId: ada.id, content: 'a note' });
    const { data } = await service.done('listEvents', { limit: 1 });
    expect(data).to.have.length(1);
  });

  it('takes the cursors of any key, and refuses everything else', async () => {
    const [service, other] = [await connectService('events'), await connectService('events')];
    const { nextCursor: cursor } = await service.done('listEvents', { fromNow: true });
    await other.done('listEvents', { cursor });
    expect(positionIn(cursor)[1]).to.have.property('since');
    for (const wrong of ['x', cursor.slice(1), cursor.replace(/^.{8}/, 'AAAAAAAA')])
      expect(await service.refused('listEvents', { cursor: wrong })).to.equal('BAD_REQUEST');
    for (const wrong of [{ types: [] }, { types: ['typing'] }, { limit: 0 }, { limit: 1001 }, { since: 1 }])
      expect(await service.refused('listEvents', wrong), JSON.stringify(wrong)).to.equal('BAD_REQUEST');
  });

  it('refuses a cursor that is older than the events that are kept', async () => {
    const service = await connectService('events');
    const { run, time, ...rest } = positionIn(
      (await service.done('listEvents', { fromNow: true })).nextCursor,
    )[1];
    const consumer = newConsumer();
    const old = JSON.stringify({ run, time: time - 8 * 86_400_000, ...rest });
    await database.execute(`insert into event_consumers (name, cursor) values ($1, $2::jsonb)`, [
      consumer,
      old,
    ]);
    const refusal = await service.call('subscribeEvents', { consumer });
    expect([refusal.code, refusal.message, refusal.retryAfter]).to.deep.equal([
      'CONFLICT',
      'The cursor is older than 7 days, for which events are kept',
      undefined,
    ]);
    const { nextCursor: cursor } = await service.done('listEvents', { fromNow: true });
    await service.done('acknowledgeEvents', { consumer, cursor });
    await service.done('subscribeEvents', { consumer });
  });
});

describe('subscribeEvents', () => {
  it('pushes what happens from then on, and continues after the last acknowledgement', async () => {
    const consumer = newConsumer();
    const { key } = await newKey('events');
    const [ada] = await newClients(1);
    const write = (content: string) => ada.client.done('privateMessage', { receiverId: ada.id, content });
    await write('before');
    const first = await connectAs(key);
    const subscription = { consumer, types: ['message'] };
    expect(await first.done('subscribeEvents', subscription)).to.deep.equal({
      ...{ data: null, message: null, senderName: null },
    });
    await write('one');
    const batch = await nextPush(first);
    expect(batch).to.include({ consumer, message: null, senderName: null, reason: null });
    expect(contentsOf(batch.data)).to.deep.equal(['one']);
    await first.done('acknowledgeEvents', { consumer, cursor: batch.nextCursor });
    await write('two');
    expect(contentsOf((await nextPush(first)).data)).to.deep.equal(['two']);
    await first.close();

    await write('three');
    const second = await connectAs(key);
    await until(async () => !(await second.call('subscribeEvents', subscription)).error);
    expect(await receive(second, consumer, 2)).to.deep.equal(['two', 'three']);
  });

  it('starts again after the last acknowledgement on the same connection', async () => {
    const consumer = newConsumer();
    const service = await connectService('events');
    const [ada] = await newClients(1);
    await service.done('subscribeEvents', { consumer, types: ['message'] });
    await ada.client.done('privateMessage', { receiverId: ada.id, content: 'one' });
    const { nextCursor } = await nextPush(service);
    await service.done('subscribeEvents', { consumer, types: ['message'] });
    expect(await receive(service, consumer, 1)).to.deep.equal(['one']);
    expect(await service.refused('acknowledgeEvents', { consumer, cursor: nextCursor.slice(2) })).to.equal(
      'BAD_REQUEST',
    );
  });

  it('sends at most four batches without an acknowledgement', async () => {
    const consumer = newConsumer();
    const service = await connectService('events');
    const [ada] = await newClients(1);
    await service.done('subscribeEvents', { consumer, types: ['message'] });
    for (let n = 1; n <= 4; n++) {
      await ada.client.done('privateMessage', { receiverId: ada.id, content: `${n}` });
      expect(contentsOf((await nextPush(service)).data)).to.deep.equal([`${n}`]);
    }
    const { nextCursor: last } = await service.done('listEvents', { fromNow: true });
    await ada.client.done('privateMessage', { receiverId: ada.id, content: '5' });
    expect(await service.refused('acknowledgeEvents', { consumer, cursor: last })).to.equal('NOT_FOUND');
    await service.done('subscribeEvents', { consumer, types: ['message'] });
    expect(await receive(service, consumer, 5)).to.deep.equal(['1', '2', '3', '4', '5']);
  });

  it('is refused while another connection serves the consumer', async () => {
    const consumer = newConsumer();
    const [one, other] = [await connectService('events'), await connectService('events')];
    await one.done('subscribeEvents', { consumer });
    const refusal = await other.call('subscribeEvents', { consumer });
    expect([refusal.code, refusal.message, refusal.retryAfter]).to.deep.equal([
      'CONFLICT',
      `Another connection serves the consumer "${consumer}"`,
      2,
    ]);
    const { nextCursor: cursor } = await other.done('listEvents', { fromNow: true });
    expect(await other.refused('acknowledgeEvents', { consumer, cursor })).to.equal('CONFLICT');
    await one.close();
    await until(async () => !(await other.call('subscribeEvents', { consumer })).error);
  });

  it('ends with a push when another node has taken the consumer', async () => {
    const consumer = newConsumer();
    const service = await connectService('events');
    await service.done('subscribeEvents', { consumer });
    await database.execute(`update event_consumers set holder = 'another' where name = $1`, [consumer]);
    const { reason, nextCursor, data } = await nextPush(service);
    expect([reason, nextCursor, data]).to.deep.equal([
      `Another connection serves the consumer "${consumer}"`,
      null,
      [],
    ]);
    // A late acknowledgement must not move the consumer, also if nobody serves it any more.
    const { nextCursor: cursor } = await service.done('listEvents', { fromNow: true });
    await database.execute(`update event_consumers set holder = null where name = $1`, [consumer]);
    expect(await service.refused('acknowledgeEvents', { consumer, cursor })).to.equal('NOT_FOUND');
    await service.done('subscribeEvents', { consumer });
  });

  it('ends with a push when its cursor is lost, and lets the consumer be moved', async () => {
    const consumer = newConsumer();
    const service = await connectService('events');
    await service.done('subscribeEvents', { consumer, types: ['report'] });
    const lost = `
      update event_consumers set cursor = jsonb_set(cursor, '{time}', '0'), holder = null, lease_until = null
      where name = $1
    `;
    await database.execute(lost, [consumer]);
    expect((await nextPush(service)).reason).to.include('Another connection');
    expect(await service.refused('subscribeEvents', { consumer })).to.equal('CONFLICT');
    const { nextCursor: cursor } = await service.done('listEvents', { fromNow: true });
    const other = await connectService('events');
    await other.done('acknowledgeEvents', { consumer, cursor });
    await service.done('subscribeEvents', { consumer });
  });

  it('ends when the key is revoked', async () => {
    const consumer = newConsumer();
    const { key, id } = await newKey('events');
    const service = await connectAs(key);
    await service.done('subscribeEvents', { consumer });
    const { revokeKey } = await import('../../src/auth/serviceKeys.ts');
    await revokeKey(database, id);
    expect(await service.closed).to.equal(4401);
    const other = await connectService('events');
    await until(async () => !(await other.call('subscribeEvents', { consumer })).error);
  });
});

describe('acknowledgeEvents', () => {
  it('moves a consumer that nobody serves to any cursor', async () => {
    const consumer = newConsumer();
    const service = await connectService('events');
    const { nextCursor: cursor } = await service.done('listEvents', { fromNow: true });
    const user = await newUser();
    await service.done('acknowledgeEvents', { consumer, cursor });
    await service.done('subscribeEvents', { consumer, types: ['userCreated'] });
    const { data } = await nextPush(service);
    expect(data.map(({ state }: Frame) => state.userId)).to.include(user.id);
  });

  it('includes the batches before, may be repeated, and refuses what was not pushed to the connection', async () => {
    const consumer = newConsumer();
    const service = await connectService('events');
    const [ada] = await newClients(1);
    await service.done('subscribeEvents', { consumer, types: ['message'] });
    const cursors: string[] = [];
    for (const content of ['one', 'two']) {
      await ada.client.done('privateMessage', { receiverId: ada.id, content });
      cursors.push((await nextPush(service)).nextCursor);
    }
    const [first, second] = cursors;
    await service.done('acknowledgeEvents', { consumer, cursor: second });
    await service.done('acknowledgeEvents', { consumer, cursor: second });
    expect(await service.refused('acknowledgeEvents', { consumer, cursor: first })).to.equal('NOT_FOUND');
    for (const wrong of [{ consumer }, { consumer: 'a b', cursor: second }, { consumer: '', cursor: second }])
      expect(await service.refused('acknowledgeEvents', wrong)).to.equal('BAD_REQUEST');
  });
});
