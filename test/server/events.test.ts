import { expect } from 'chai';
import fc from 'fast-check';
import { pino } from 'pino';
import type { Transaction } from 'sequelize';
import { openDatabase } from '../../src/database/database.ts';
import { acknowledge, addConsumer } from '../../src/events/consumers.ts';
import { decodeEventCursor, type EventCursor, encodeEventCursor } from '../../src/events/cursor.ts';
import { EventSubscription, type SubscriptionOptions } from '../../src/events/EventSubscription.ts';
import { cursorFromNow, type EventPage, type EventQuery, listEvents } from '../../src/events/listEvents.ts';
import { deleteOldEvents } from '../../src/events/oldEvents.ts';
import { cursorFromTime } from '../../src/events/pastCursor.ts';
import type { Event } from '../../src/events/read.ts';
import type { UserId } from '../../src/ids.ts';
import { createCursorSigner } from '../../src/protocol/cursor.ts';
import type { ApiError } from '../../src/protocol/errors.ts';
import { admin } from '../support/admin.ts';
import {
  database,
  databaseUrl,
  http,
  JWT_SECRET,
  newClients,
  newGroup,
  newUser,
} from '../support/harness.ts';
import { until } from '../support/until.ts';

const log = pino({ enabled: false });
const source = () => ({ db: database, keptDays: 7 });
const now = () => cursorFromNow(source());

/** Reads all events after a cursor, page by page. */
async function readAll(
  cursor: EventCursor | undefined,
  query: Partial<EventQuery> = {},
): Promise<{ events: Event[]; cursor: EventCursor }> {
  const events: Event[] = [];
  for (let next = cursor; ; ) {
    const page = await listEvents(source(), { limit: 100, ...query, cursor: next });
    expect(page.events.length).to.be.at.most(query.limit ?? 100);
    events.push(...page.events);
    next = page.nextCursor;
    if (!page.more) return { events, cursor: next };
  }
}

/** Returns numbers from 0 to 1, the same for the same seed. */
function randomNumbers(seed: number): () => number {
  const numbers = fc.sample(fc.noBias(fc.nat(2 ** 30 - 1)), { seed, numRuns: 2_000 });
  return () => (numbers.pop() as number) / 2 ** 30;
}

const eventsAfter = async (cursor: EventCursor, query?: Partial<EventQuery>) =>
  (await readAll(cursor, query)).events;
const typesOf = (events: readonly Event[]) => events.map(({ type }) => type);
const contentsOf = (events: readonly Event[]) => events.map(({ state }) => state.message);

/** Returns the code of the refusal of a promise. */
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => expect.fail('it was not refused'),
    (error: ApiError) => error.code,
  );

describe('events', () => {
  it('contain every message and every change of it, with the state of its push', async () => {
    const [ada, bob] = await newClients(2);
    const start = await now();
    const sent = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    const { messageId } = sent;
    const { editedAt } = await ada.client.done('editMessage', { messageId, content: 'Hi!' });
    await bob.client.done('addReaction', { messageId, emoji: '👍' });
    await bob.client.done('pinMessage', { messageId });
    await bob.client.done('unpinMessage', { messageId });
    await bob.client.done('removeReaction', { messageId, emoji: '👍' });

    const events = await eventsAfter(start);
    const senderName = ada.username;
    const place = { userIds: [ada.id, bob.id], seq: 1 };
    const by = (user: typeof ada, version: number) => ({
      ...{ message: null, senderName: user.username, senderId: user.id, messageId, seq: 1, version },
      receiverId: user === ada ? bob.id : ada.id,
    });
    const { time, ...message } = events[0] as Event;
    expect(time).to.equal(sent.createdAt);
    expect(message).to.deep.equal({
      ...{ eventId: `${messageId}`, type: 'message', ...place, command: 'privateMessage' },
      state: {
        ...{ messageId, seq: 1, createdAt: sent.createdAt, senderId: ada.id, senderName, receiverId: bob.id },
        ...{
          message: 'Hi!',
          version: 5,
          editedAt,
          reactions: undefined,
          deletedAt: undefined,
          pinned: undefined,
        },
        ...{ replyTo: undefined, silent: undefined, custom: undefined, mentions: undefined },
        ...{ forwardedFrom: undefined, forwardedFromName: undefined },
      },
    });
    const changes = events.slice(1).map(({ eventId: _, time: __, ...event }) => event);
    const change = (type: string, command: string, state: object) => ({ type, ...place, command, state });
    expect(changes).to.deep.equal([
      change('edit', 'editMessage', { ...by(ada, 1), message: 'Hi!', editedAt, custom: null, mentions: [] }),
      change('reaction', 'addReaction', { ...by(bob, 2), emoji: '👍', count: 1 }),
      change('pin', 'pinMessage', by(bob, 3)),
      change('pin', 'unpinMessage', by(bob, 4)),
      change('reaction', 'removeReaction', { ...by(bob, 5), emoji: '👍', count: 0 }),
    ]);
    const ids = events.map(({ eventId }) => Number(eventId));
    expect(ids).to.deep.equal([...new Set(ids)].sort((one, other) => one - other));
  });

  it('contain the changes of a group and of its members, also those of one message on several pages', async () => {
    const [ada, bob, eve] = await newClients(3);
    const start = await now();
    const { groupId } = await ada.client.done('newGroup', { groupName: 'Climbers', userIds: [bob.id] });
    const { groupId: other } = await ada.client.done('newGroup', { groupName: 'Others' });
    await ada.client.done('addUserInGroup', { groupId, userId: eve.id });
    await ada.client.done('setMemberRole', { groupId, userId: bob.id, role: 'admin' });
    await ada.client.done('updateGroup', { groupId, description: 'On Sundays' });
    await ada.client.done('banUser', { groupId, userId: eve.id });
    await ada.client.done('unbanUser', { groupId, userId: eve.id });
    await ada.client.done('transferOwnership', { groupId, userId: bob.id });
    await bob.client.done('leaveGroup', { groupId });
    await ada.client.done('messageInGroup', { groupId, content: 'Alone' });
    await ada.client.done('deleteGroup', { groupId });

    const expected = [
      ...['1 groupCreated', '1 memberAdded', '2 memberAdded', '3 memberRole', '4 groupChanged'],
      ...['5 memberRemoved', '6 message', '7 memberRole', '8 memberRemoved', '8 memberRole', '9 message'],
      '10 groupDeleted',
    ];
    for (const limit of [100, 1]) {
      const events = await eventsAfter(start, { limit, groupId });
      expect(events.map(({ seq, type }) => `${seq} ${type}`)).to.deep.equal(expected);
      expect(events.every((event) => event.groupId === groupId)).to.equal(true);
      expect(new Set(events.map(({ eventId }) => eventId)).size).to.equal(expected.length);
    }
    const members = await eventsAfter(start, { limit: 1, types: ['memberAdded', 'groupDeleted'] });
    expect(members.map((event) => [event.groupId, event.type])).to.deep.equal([
      ...[
        [groupId, 'memberAdded'],
        [other, 'memberAdded'],
        [groupId, 'memberAdded'],
        [groupId, 'groupDeleted'],
      ],
    ]);
    const [created] = await eventsAfter(start, { types: ['groupCreated'] });
    expect(created?.state).to.deep.include({
      ...{ groupName: 'Climbers', userId: ada.id, userIds: [bob.id], senderName: ada.username },
      event: { type: 'newGroup', groupName: 'Climbers', userId: ada.id, userIds: [bob.id] },
    });
  });

  it('contain the life of accounts, and reports', async () => {
    const start = await now();
    const names = { username: 'zoe-events', email: 'zoe-events@example.com' };
    const { body } = await http('POST', '/auth/register', {
      body: { ...names, password: 'correct horse battery' },
    });
    const zoeId = body.user.id as UserId;
    const [ada, bob] = await newClients(2);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'Buy now' });
    await bob.client.done('reportMessage', { messageId, reason: 'Spam' });
    await bob.client.done('reportMessage', { messageId, reason: 'Spam' }); // changes nothing
    await ada.client.done('updateProfile', { about: 'Climber' });
    await ada.client.done('updateProfile', { about: 'Climber' }); // changes nothing
    await admin('user', 'disable', `${zoeId}`);
    await admin('user', 'enable', `${zoeId}`);
    await admin('user', 'delete', `${zoeId}`, '--yes');

    const events = await eventsAfter(start);
    expect(events.map(({ type, seq, state }) => [type, state.userId ?? null, seq])).to.deep.equal([
      ...[
        ['userCreated', zoeId, null],
        ['userCreated', ada.id, null],
        ['userCreated', bob.id, null],
      ],
      ...[
        ['message', null, 1],
        ['report', null, 1],
        ['userUpdated', ada.id, null],
      ],
      ...[
        ['userDisabled', zoeId, null],
        ['userEnabled', zoeId, null],
        ['userDeleted', zoeId, null],
      ],
    ]);
    const [report] = events.filter(({ type }) => type === 'report');
    expect(report).to.deep.include({ userIds: [ada.id, bob.id], command: null });
    expect(report?.state).to.include({ messageId, reporterId: bob.id, reason: 'Spam', content: 'Buy now' });
    expect(events.find(({ type }) => type === 'userUpdated')?.state).to.deep.equal({
      ...{ userId: ada.id, externalId: null, username: ada.username, displayName: null, about: 'Climber' },
      ...{ avatar: null, custom: null, isBot: false, version: 1 },
    });
    const deleted = events.filter(({ state }) => state.userId === zoeId).map(({ state }) => state.username);
    expect(deleted, 'the name is gone from earlier events as well').to.deep.equal(
      Array.from({ length: 4 }, () => 'Deleted user'),
    );
  });

  it('show nothing of the content of a message that was deleted since', async () => {
    const [ada, bob] = await newClients(2);
    const start = await now();
    const { messageId } = await ada.client.done('privateMessage', {
      receiverId: bob.id,
      content: 'a secret',
    });
    await ada.client.done('editMessage', { messageId, content: 'the secret' });
    await bob.client.done('addReaction', { messageId, emoji: '🤫' });
    const { deletedAt } = await ada.client.done('deleteMessage', { messageId });

    const events = await eventsAfter(start);
    expect(typesOf(events)).to.deep.equal(['message', 'edit', 'reaction', 'deletion']);
    expect(JSON.stringify(events)).not.to.match(/secret|🤫/);
    for (const { state } of events) expect(state).to.include({ deletedAt });
  });

  it('contain the deletions of an erased user, by nobody', async () => {
    const [ada, bob] = await newClients(2);
    for (const content of ['one', 'two'])
      await ada.client.done('privateMessage', { receiverId: bob.id, content });
    const start = await now();
    await admin('user', 'erase', `${ada.id}`, '--yes');
    const events = await eventsAfter(start);
    expect(events.map(({ type, seq, state }) => [type, seq, state.senderName])).to.deep.equal([
      ['userDeleted', null, undefined],
      ['deletion', 1, null],
      ['deletion', 2, null],
    ]);
  });

  it('begin with the oldest that are kept, without a cursor', async () => {
    const all = (await readAll(undefined)).events;
    const [{ count } = { count: -1 }] = await database.query<{ count: number }>(
      `select (select count(*) from messages) + (select count(*) from events) as count`,
      [],
    );
    expect(new Set(all.map(({ eventId }) => Math.trunc(Number(eventId)))).size).to.equal(count);
    expect((await readAll(undefined, { limit: 3 })).events).to.deep.equal(all);
  });

  it('are found of a transaction that commits late, once, and behind those that were read before', async () => {
    const [ada, bob] = await newClients(2);
    const late = await database.sequelize.transaction();
    const insert = `insert into events (type, user_id) values ('userUpdated', $1)`;
    await database.execute(insert, [bob.id], late);
    const start = await now();
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'early' });
    const early = await readAll(start);
    expect(contentsOf(early.events)).to.deep.equal(['early']);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'next' });
    const next = await readAll(early.cursor);
    expect(contentsOf(next.events)).to.deep.equal(['next']);
    await late.commit();

    const last = await readAll(next.cursor);
    expect(typesOf(last.events)).to.deep.equal(['userUpdated']);
    expect(typesOf(await eventsAfter(early.cursor))).to.deep.equal(['userUpdated', 'message']);
    expect(typesOf(await eventsAfter(start))).to.deep.equal(['userUpdated', 'message', 'message']);
    expect(await eventsAfter(last.cursor)).to.deep.equal([]);
  });

  it('of transactions in any interleaving are found once, none before one that was committed before it began', async () => {
    const db = openDatabase(databaseUrl(), 20);
    const open = new Set<Transaction>();
    const inserted = new Map<Transaction, { id: number; after: number }[]>();
    const committed: { id: number; after: number }[] = [];
    const insert = `insert into events (type, user_id, data) values ('userUpdated', 0, '{}') returning id`;
    const random = randomNumbers(7);
    const pick = () => [...open][Math.floor(random() * open.size)] as Transaction;
    const found: string[] = [];
    let cursor = await now();
    try {
      for (let step = 0; step < 400; step++) {
        const choice = random();
        if (choice < 0.2 && open.size < 6) open.add(await db.sequelize.transaction());
        else if (choice < 0.6 && open.size > 0) {
          const transaction = pick();
          const after = committed.length; // the statement sees as many
          const [row] = await db.execute<{ id: number }>(insert, [], transaction);
          inserted.set(transaction, [...(inserted.get(transaction) ?? []), { id: row?.id ?? 0, after }]);
        } else if (choice < 0.75 && open.size > 0) {
          const transaction = pick();
          open.delete(transaction);
          if (random() < 0.2) await transaction.rollback();
          else {
            await transaction.commit();
            committed.push(...(inserted.get(transaction) ?? []));
          }
        } else {
          const page = await listEvents({ db, keptDays: 7 }, { cursor, limit: 1 + Math.floor(random() * 4) });
          found.push(...page.events.map(({ eventId }) => eventId));
          cursor = page.nextCursor;
        }
      }
      for (const transaction of open) await transaction.rollback();
      const rest = await readAll(cursor);
      found.push(...rest.events.map(({ eventId }) => eventId));
    } finally {
      await db.close();
    }
    const ids = (list: readonly (string | number)[]) => list.map(Number).sort((one, other) => one - other);
    expect(committed.length).to.be.above(50);
    expect(ids(found)).to.deep.equal(ids(committed.map(({ id }) => id)));
    const placeOf = new Map(found.map((id, place) => [Number(id), place]));
    for (const { id, after } of committed)
      for (const earlier of committed.slice(0, after))
        expect(placeOf.get(earlier.id), `${earlier.id} before ${id}`).to.be.below(placeOf.get(id) as number);
  });

  it('are found behind any number of others that are of no interest', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client);
    const start = await now();
    const insert = `insert into events (type, user_id) select 'userUpdated', 0 from generate_series(1, $1::int)`;
    await database.execute(insert, [10_500]);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'of a dialog' });
    await ada.client.done('messageInGroup', { groupId, content: 'of a group' });

    const first = await listEvents(source(), { cursor: start, types: ['message'], limit: 5 });
    expect(first, 'a page without events').to.deep.include({ events: [], more: true });
    const rest = await eventsAfter(first.nextCursor, { types: ['message'] });
    expect(contentsOf(rest)).to.deep.equal(['of a dialog', 'of a group']);
    expect(contentsOf(await eventsAfter(start, { groupId }))).to.deep.equal(['of a group']);
    const all = await eventsAfter(start, { limit: 1_000 });
    expect(new Set(all.map(({ eventId }) => eventId)).size).to.equal(10_502);
    expect(all).to.have.length(10_502);
  });

  it('of a window do not include what is committed while its pages are read', async () => {
    const [ada, bob] = await newClients(2);
    const start = await now();
    const send = (content: string) => ada.client.done('privateMessage', { receiverId: bob.id, content });
    await send('one');
    await send('two');
    const first = await listEvents(source(), { cursor: start, limit: 1 });
    await send('three');
    const second = await listEvents(source(), { cursor: first.nextCursor, limit: 5 });
    const third = await listEvents(source(), { cursor: second.nextCursor, limit: 5 });
    expect([first, second, third].map(({ events }) => contentsOf(events))).to.deep.equal([
      ['one'],
      ['two'],
      ['three'],
    ]);
    expect([first.more, second.more, third.more]).to.deep.equal([true, false, false]);
  });

  it('continue after a restart of PostgreSQL, unless it has lost what the cursor has seen', async () => {
    const [ada, bob] = await newClients(2);
    const start = await now();
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    const [, system, own] = /^(.*)@.*\/(.*)$/.exec(start.run) ?? [];
    const run = `${system}@1`;
    const earlier = { ...start, run: `${run}/${own}` };
    await database.execute('insert into database_runs (id, settled_xid) values ($1, $2)', [run, '1']);
    expect(await codeOf(listEvents(source(), { cursor: earlier, limit: 5 })), 'unknown').to.equal('CONFLICT');

    const setSeen = (snapshot: string) =>
      database.execute('update database_runs set event_snapshot = $2 where id = $1', [run, snapshot]);
    const xmax = Number(start.since?.split(':')[1]);
    await setSeen(start.since as string);
    expect(contentsOf(await eventsAfter(earlier))).to.deep.equal(['hi']);
    await setSeen(`${xmax - 1}:${xmax + 5}:${xmax - 1}`);
    expect(await codeOf(readAll(earlier)), 'one was not committed').to.equal('CONFLICT');
    await setSeen(`${xmax - 1}:${xmax - 1}:`);
    expect(await codeOf(readAll(earlier)), 'from an earlier time').to.equal('CONFLICT');
    for (const other of ['1@1/1', start.run.replace(/\d+$/, '1'), `${run}/1`])
      expect(await codeOf(readAll({ ...start, run: other })), 'of another database').to.equal('CONFLICT');
  });

  it('of a copied database are found from the beginning, whatever the numbers of its transactions', async () => {
    const [ada, bob] = await newClients(2);
    const contents = ['copied 0', 'copied 1', 'copied 2'];
    for (const content of contents) await ada.client.done('privateMessage', { receiverId: bob.id, content });
    const statement = `
      update messages
      set xid = (pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 10 + 15 * right(content, 1)::int)::text::xid8
      where content like 'copied %'
    `;
    await database.execute(statement, []);
    const found: unknown[] = [];
    for (let cursor: EventCursor | undefined; ; ) {
      const page = await listEvents(source(), { cursor, types: ['message'], limit: 5 });
      found.push(...contentsOf(page.events));
      cursor = page.nextCursor;
      for (let n = 0; n < 20; n++) await database.execute('select pg_current_xact_id()', []); // other writers
      if (!page.more) break;
    }
    expect(found).to.include.members(contents);
  });

  it('about reports have no content of a message that was deleted since', async () => {
    const [ada, bob] = await newClients(2);
    const start = await now();
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'secret' });
    await bob.client.done('reportMessage', { messageId, reason: 'spam' });
    await ada.client.done('deleteMessage', { messageId });
    const [report] = await eventsAfter(start, { types: ['report'] });
    expect(report?.state).to.include({ messageId, reason: 'spam', content: '' });
  });

  it('refuse a cursor that is older than the changes that are kept, which are deleted then', async () => {
    const ada = await newUser();
    const start = await now();
    const old = { ...start, time: start.time - 7 * 86_400_000 - 1_000 };
    expect(await codeOf(readAll(old))).to.equal('CONFLICT');

    const kept = 'select id from events where user_id = $1';
    const age = `
      update events set created_at = created_at - make_interval(days => 7, hours => 2)
      where id <= (select max(id) from events where user_id = $1)
    `;
    const bob = await newUser();
    await database.execute(age, [ada.id]);
    const deleting = deleteOldEvents(database, 7, log);
    await until(async () => (await database.query(kept, [ada.id])).length === 0);
    await deleting.close();
    expect(await database.query(kept, [bob.id])).to.have.length(1);
  });

  it('have a cursor that is as old as its snapshot until everything after it is read', async () => {
    const [ada, bob] = await newClients(2);
    const start = await now();
    for (const content of ['one', 'two'])
      await ada.client.done('privateMessage', { receiverId: bob.id, content });
    const old = { ...start, time: start.time - 1_000_000 };
    const { nextCursor } = await listEvents(source(), { cursor: old, limit: 1 });
    expect(nextCursor.window).to.not.equal(null);
    expect(nextCursor.time).to.equal(old.time);
    const { cursor } = await readAll(nextCursor);
    expect(cursor.window).to.equal(null);
    expect(cursor.time).to.be.at.least(start.time);
  });

  it('are found from a time on, and from a minute before it', async () => {
    const [ada, bob] = await newClients(2);
    const start = await now();
    const contents = ['hours ago', 'shortly before', 'now'];
    for (const content of contents) await ada.client.done('privateMessage', { receiverId: bob.id, content });
    const rows = await database.query<{ id: number }>(
      'select id from messages where content = any ($1) order by id',
      [contents],
    );
    const age = (index: number, seconds: number) =>
      database.execute(
        `update messages set created_at = clock_timestamp() - make_interval(secs => $2) where id <= $1`,
        [rows[index]?.id, seconds],
      );
    await age(1, 100);
    await database.execute(`update events set created_at = created_at - interval '1 day'`, []);
    await age(0, 7_200);
    const since = (seconds: number) => cursorFromTime(source(), new Date(start.time - seconds * 1_000));
    expect(contentsOf(await eventsAfter(await since(0)))).to.deep.equal(['now']);
    expect(contentsOf(await eventsAfter(await since(50)))).to.deep.equal(['shortly before', 'now']);
    expect(await codeOf(since(8 * 86_400))).to.equal('BAD_REQUEST');
    expect(await codeOf(since(-3_600))).to.equal('BAD_REQUEST');
  });

  it('are the same on a page that is read again, also if more have been committed in the meantime', async () => {
    const [ada, bob] = await newClients(2);
    const start = await now();
    const send = (content: string) => ada.client.done('privateMessage', { receiverId: bob.id, content });
    await send('one');
    await send('two');
    const { newestId, ...page } = await listEvents(source(), { cursor: start, limit: 10 });
    await send('three');
    expect(contentsOf((await listEvents(source(), { cursor: start, limit: 10 })).events)).to.have.length(3);
    const again = await listEvents(source(), { cursor: page.cursor, limit: 10 });
    expect(again).to.deep.include(page);
    expect(again.newestId).to.be.above(newestId);
    expect(contentsOf(again.events)).to.deep.equal(['one', 'two']);
    expect(contentsOf(await eventsAfter(page.nextCursor))).to.deep.equal(['three']);
  });

  it('have cursors that stay the same as text', async () => {
    const cursors = createCursorSigner([JWT_SECRET])('listEvents', 0 as UserId);
    const cursor = await now();
    expect(decodeEventCursor(cursors, encodeEventCursor(cursors, cursor))).to.deep.equal(cursor);
    expect(() => decodeEventCursor(cursors, cursors.encode([0, cursor]))).to.throw('params.cursor');
  });
});

/** A consumer that collects its batches. */
async function subscribe(consumer: string, options: Partial<SubscriptionOptions> = {}) {
  const batches: EventPage[] = [];
  const endings: string[] = [];
  await addConsumer(source(), consumer);
  const subscription = await EventSubscription.open(source(), {
    ...{ consumer, holder: `holder ${++holders}`, log },
    push: (batch) => batches.push(batch),
    ended: ({ code }) => endings.push(code),
    ...options,
  });
  open.push(subscription);
  const events = () => batches.flatMap((batch) => batch.events);
  return { subscription, batches, endings, events };
}
const open: EventSubscription[] = [];
let holders = 0;

describe('a subscription to events', () => {
  afterEach(() => Promise.all(open.splice(0).map((subscription) => subscription.close())));

  it('pushes what is committed after it has begun, and continues behind the last acknowledgement', async () => {
    const [ada, bob] = await newClients(2);
    const first = await subscribe('billing');
    const send = (content: string) => ada.client.done('privateMessage', { receiverId: bob.id, content });
    await send('one');
    await until(() => first.events().length === 1);
    await send('two');
    await until(() => first.events().length === 2);
    await first.subscription.acknowledge((first.batches[0] as EventPage).nextCursor);
    await first.subscription.close();
    await send('three');

    const second = await subscribe('billing');
    await until(() => second.events().length === 2);
    expect(contentsOf(second.events())).to.deep.equal(['two', 'three']);
    await second.subscription.acknowledge((second.batches.at(-1) as EventPage).nextCursor);
    await second.subscription.close();
    const third = await subscribe('billing');
    await send('four');
    await until(() => third.events().length > 0);
    expect(contentsOf(third.events())).to.deep.equal(['four']);
  });

  it('pushes only the requested types', async () => {
    const [ada, bob] = await newClients(2);
    const { events } = await subscribe('edits', { types: ['edit'] });
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'a' });
    await ada.client.done('editMessage', { messageId, content: 'b' });
    await until(() => events().length > 0);
    expect(typesOf(events())).to.deep.equal(['edit']);
  });

  it('waits while four batches are not acknowledged', async () => {
    const [ada, bob] = await newClients(2);
    const { subscription, batches } = await subscribe('slow');
    for (let n = 1; n <= 6; n++) {
      await ada.client.done('privateMessage', { receiverId: bob.id, content: `${n}` });
      if (n <= 4) await until(() => batches.length === n);
    }
    const [one, two, three, four] = batches as [EventPage, EventPage, EventPage, EventPage];
    await subscription.acknowledge(two.nextCursor);
    await until(() => batches.length === 5);
    expect(contentsOf(batches.flatMap(({ events }) => events))).to.deep.equal(['1', '2', '3', '4', '5', '6']);
    expect(await codeOf(subscription.acknowledge(one.nextCursor)), 'once more').to.equal('NOT_FOUND');
    await subscription.acknowledge(four.nextCursor);
    expect(await codeOf(subscription.acknowledge(three.nextCursor))).to.equal('NOT_FOUND');
  });

  it('is refused while another one of the same consumer is open, and so is its acknowledgement', async () => {
    const first = await subscribe('single');
    expect(await codeOf(subscribe('single'))).to.equal('CONFLICT');
    const elsewhere = acknowledge(source(), { consumer: 'single' }, await now());
    expect(await codeOf(elsewhere)).to.equal('CONFLICT');
    await subscribe('another');
    await first.subscription.close();
    await acknowledge(source(), { consumer: 'single' }, await now());
    await subscribe('single');
  });

  it('ends when another connection has taken its lease, and does not acknowledge any more', async () => {
    const [ada, bob] = await newClients(2);
    const { endings, batches, subscription } = await subscribe('taken');
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'late' });
    await until(() => batches.length === 1);
    await database.execute(`update event_consumers set holder = 'other' where name = 'taken'`, []);
    const late = subscription.acknowledge((batches[0] as EventPage).nextCursor);
    expect(await codeOf(late)).to.equal('CONFLICT');
    await until(() => endings.length > 0);
    expect(endings).to.deep.equal(['CONFLICT']);
    const [row] = await database.query<{ holder: string }>(
      `select holder from event_consumers where name = 'taken'`,
      [],
    );
    expect(row).to.deep.equal({ holder: 'other' });
  });

  it('ends when its lease has expired and the consumer was moved, and does not move it back', async () => {
    const start = await now();
    const { endings } = await subscribe('moved');
    const expired = `update event_consumers set lease_until = clock_timestamp() - interval '1 s' where name = 'moved'`;
    await database.execute(expired, []);
    await acknowledge(source(), { consumer: 'moved' }, start);
    await until(() => endings.length > 0);
    const [row] = await database.query<{ cursor: EventCursor; holder: string | null }>(
      `select cursor, holder from event_consumers where name = 'moved'`,
      [],
    );
    expect(row).to.deep.equal({ cursor: start, holder: null });
  });

  it('begins where a cursor of listEvents was acknowledged, and refuses one that is too old', async () => {
    const [ada, bob] = await newClients(2);
    const start = await now();
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'before' });
    await acknowledge(source(), { consumer: 'restarted' }, start);
    const { subscription, events } = await subscribe('restarted');
    await until(() => events().length > 0);
    expect(contentsOf(events())).to.deep.equal(['before']);
    await subscription.close();

    const old = { ...start, time: 0 };
    expect(await codeOf(acknowledge(source(), { consumer: 'restarted' }, old))).to.equal('CONFLICT');
    const set = `update event_consumers set cursor = $1::jsonb where name = 'restarted'`;
    await database.execute(set, [JSON.stringify(old)]);
    expect(await codeOf(subscribe('restarted'))).to.equal('CONFLICT');
    await acknowledge(source(), { consumer: 'restarted' }, await now());
    await subscribe('restarted');
  });

  it('stores how far it has come while nothing has to be acknowledged, so that its cursor does not become old', async () => {
    await subscribe('idle', { types: ['report'] });
    const stored = async () => {
      const [row] = await database.query<{ cursor: EventCursor }>(
        `select cursor from event_consumers where name = 'idle'`,
        [],
      );
      return row?.cursor.time as number;
    };
    const first = await stored();
    await until(async () => (await stored()) > first);
  });
});
