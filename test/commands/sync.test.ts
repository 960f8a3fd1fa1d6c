import { expect } from 'chai';
import { pino } from 'pino';
import { changesSince } from '../../src/sync/changes.sql.ts';
import { isInDatabase, presentState, recordDatabaseRuns } from '../../src/sync/databaseRuns.ts';
import { START } from '../../src/sync/syncCursor.ts';
import type { Frame } from '../support/client.ts';
import {
  database,
  http,
  newClients,
  newGroup,
  type Person,
  positionIn,
  signedCursor,
  startServer,
} from '../support/harness.ts';
import { until } from '../support/until.ts';

type Change = Frame;

/** Returns all changes since a cursor, page by page, and the next cursor. */
async function changes(
  { client }: Pick<Person, 'client'>,
  cursor?: string,
  limit = 1000,
): Promise<{ all: Change[]; cursor: string }> {
  const all: Change[] = [];
  let next = cursor;
  for (let more = true; more; ) {
    const page = await client.done('sync', { limit, ...(next && { cursor: next }) });
    expect(page.data.length).to.be.at.most(limit);
    all.push(...page.data);
    next = page.nextCursor;
    more = page.more;
  }
  return { all, cursor: next as string };
}

const now = async ({ client }: Pick<Person, 'client'>): Promise<string> =>
  (await client.done('sync', { fromNow: true })).nextCursor;
const messages = (all: Change[]) =>
  all.filter(({ kind }) => kind === 'message').map(({ message }) => message);
const of = (all: Change[], kind: string) => all.filter((change) => change.kind === kind);

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** Returns the number of rows that a statement returns, and of those that it reads from tables and indexes. */
async function readBy(statement: string, bind: readonly unknown[]): Promise<{ rows: number; read: number }> {
  const readIn = (node: PlanNode): number => {
    const { 'Actual Rows': rows, 'Actual Loops': loops, 'Rows Removed by Filter': removed = 0 } = node;
    const own = /(Index|Index Only|Seq|Heap) Scan/.test(node['Node Type']) ? (rows + removed) * loops : 0;
    return (node.Plans ?? []).reduce((sum, part) => sum + readIn(part), own);
  };
  const [row] = await database.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    `explain (analyze, format json) ${statement}`,
    bind,
  );
  const { Plan: plan } = (row as { 'QUERY PLAN': [{ Plan: PlanNode }] })['QUERY PLAN'][0];
  return { rows: plan['Actual Rows'], read: readIn(plan) };
}

describe('sync', () => {
  it('returns everything without a cursor, and nothing with the next cursor', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('messageInGroup', { groupId, content: 'one' });
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'two' });
    const { all, cursor } = await changes(ada);
    expect(messages(all).map(({ content }) => content)).to.deep.equal([
      `${ada.username} created the group "Climbers"`,
      `${ada.username} added ${bob.username}`,
      'one',
      'two',
    ]);
    expect(of(all, 'chat')).to.have.length(2);
    expect(of(all, 'chat')[0]).to.deep.include({ groupId, role: 'owner', lastSeq: 3, unreadCount: 0 });
    expect(of(all, 'chat')[1]).to.deep.include({
      receiverId: bob.id,
      lastSeq: 1,
      unreadCount: 1,
      otherReadSeq: 1,
    });
    expect(await changes(ada, cursor)).to.deep.include({ all: [] });
  });

  it('returns new, edited, deleted and pinned messages and reactions, each in the current state', async () => {
    const [ada, bob] = await newClients(2);
    const ids: number[] = [];
    for (let n = 0; n < 6; n++)
      ids.push((await ada.client.done('privateMessage', { receiverId: bob.id, content: `${n}` })).messageId);
    const cursor = await now(bob);
    await ada.client.done('editMessage', { messageId: ids[0], content: 'edited' });
    await ada.client.done('deleteMessage', { messageId: ids[1] });
    await bob.client.done('addReaction', { messageId: ids[2], emoji: '👍' });
    await bob.client.done('pinMessage', { messageId: ids[3] });
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'new' });
    const { all } = await changes(bob, cursor);
    expect(messages(all).map(({ seq }) => seq)).to.deep.equal([1, 2, 3, 4, 7]);
    expect(of(all, 'message').filter(({ isNew }) => isNew)).to.deep.equal(all.slice(-1));
    const [edited, deleted, reacted, pinned] = messages(all);
    expect(edited).to.include({ content: 'edited' });
    expect(deleted).to.include({ content: '' });
    expect(reacted.reactions).to.deep.equal([{ emoji: '👍', count: 1, own: true }]);
    expect(pinned.pinned).to.equal(true);
    expect(of(all, 'chat')).to.have.length(1);
    expect(of(all, 'chat')[0]).to.include({ unreadCount: 6, lastSeq: 7 }); // one of the seven is deleted
    expect(await changes(bob, cursor)).to.deep.include({ all }); // a repeat gives the same
  });

  it('returns receipts, settings and group changes', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    const [adas, bobs] = [await now(ada), await now(bob)];
    await bob.client.done('markRead', { receiverId: ada.id, seq: 1 });
    await ada.client.done('muteChat', { groupId, muted: true });
    await ada.client.done('updateGroup', { groupId, description: 'new' });
    await ada.client.done('addUserInGroup', { groupId, userId: cleo.id });
    await ada.client.done('setMemberRole', { groupId, userId: bob.id, role: 'admin' });
    const { all, cursor } = await changes(ada, adas);
    const [group, dialog] = of(all, 'chat');
    expect(group).to.deep.include({ groupId, muted: true });
    expect(group.group).to.include({ description: 'new', memberCount: 3 });
    expect(dialog).to.deep.include({ receiverId: bob.id, otherReadSeq: 1, otherDeliveredSeq: 1 });
    expect(of(all, 'member')).to.have.deep.members([
      { kind: 'member', groupId, userId: bob.id, username: bob.username, role: 'admin' },
      { kind: 'member', groupId, userId: cleo.id, username: cleo.username, role: 'member' },
    ]);
    await ada.client.done('removeUserFromGroup', { groupId, userId: bob.id });
    expect(of((await changes(ada, cursor)).all, 'memberLeft')).to.deep.equal([
      { kind: 'memberLeft', groupId, userId: bob.id },
    ]);
    const after = (await changes(bob, bobs)).all;
    expect(after).to.deep.include({ kind: 'left', groupId });
    expect(messages(after).filter((message) => message.groupId === groupId)).to.deep.equal([]);
    await ada.client.done('addUserInGroup', { groupId, userId: bob.id });
    const back = (await changes(bob, bobs)).all;
    expect(of(back, 'left')).to.deep.equal([]);
    expect(of(back, 'chat').map((change) => change.groupId)).to.include(groupId);
  });

  it('pages through many changes without a gap or a repeat, while more changes happen', async () => {
    const [ada, bob] = await newClients(2);
    const cursor = await now(bob);
    const write = (from: number, to: number) =>
      Promise.all(
        Array.from({ length: to - from }, (_, n) =>
          ada.client.done('privateMessage', { receiverId: bob.id, content: `${from + n}` }),
        ),
      );
    await write(0, 50);
    const first = await bob.client.done('sync', { cursor, limit: 7 });
    expect([first.data.length, first.more]).to.deep.equal([7, true]);
    await write(50, 60);
    await ada.client.done('editMessage', { messageId: messages(first.data)[0].messageId, content: 'edited' });
    const rest = await changes(bob, first.nextCursor, 7);
    const seqs = [...messages(first.data), ...messages(rest.all)].map(({ seq }) => seq);
    expect(seqs.slice(0, 50)).to.deep.equal(Array.from({ length: 50 }, (_, n) => n + 1));
    const next = (await changes(bob, rest.cursor)).all;
    const known = new Map(
      [...messages(first.data), ...messages(rest.all), ...messages(next)].map(({ seq, content }) => [
        seq,
        content,
      ]),
    );
    expect(known.size).to.equal(60);
    expect(known.get(1)).to.equal('edited');
  });

  it('returns the later state of a message that changes again between two pages', async () => {
    const [ada, bob] = await newClients(2);
    const ids: number[] = [];
    for (let n = 1; n <= 6; n++)
      ids.push((await ada.client.done('privateMessage', { receiverId: bob.id, content: `${n}` })).messageId);
    const edit = (seq: number, content: string) =>
      ada.client.done('editMessage', { messageId: ids[seq - 1], content });
    const cursor = await now(bob);
    for (const seq of [3, 1, 2, 5, 6]) await edit(seq, 'edited');
    const first = await bob.client.done('sync', { cursor, limit: 3 });
    expect(first.data.map(({ kind }: Change) => kind)).to.deep.equal(['chat', 'message', 'message']);
    expect(messages(first.data).map(({ seq }) => seq)).to.deep.equal([3, 1]);
    await edit(2, 'again');
    await edit(3, 'again');
    const rest = messages((await changes(bob, first.nextCursor, 2)).all);
    expect(rest.map(({ seq, content }) => [seq, content])).to.deep.equal([
      [5, 'edited'],
      [6, 'edited'],
      [2, 'again'],
      [3, 'again'],
    ]);
  });

  it('returns a message changed by a transaction that began before the others and ends between two pages', async () => {
    const [ada, bob] = await newClients(2);
    const ids: number[] = [];
    for (let n = 1; n <= 6; n++)
      ids.push((await ada.client.done('privateMessage', { receiverId: bob.id, content: `${n}` })).messageId);
    const cursor = await now(bob);
    const first = await database.transaction(async (late) => {
      await database.query('select pg_current_xact_id()', [], late);
      for (const messageId of ids) await ada.client.done('editMessage', { messageId, content: 'edited' });
      const page = await bob.client.done('sync', { cursor, limit: 3 });
      const change =
        "update messages set content = 'late', changed_xid = pg_current_xact_id() where id = any ($1::bigint[])";
      await database.execute(change, [[ids[0], ids[5]]], late);
      return page;
    });
    const rest = await changes(bob, first.nextCursor, 2);
    const received = [...messages(first.data), ...messages(rest.all)];
    expect(received.map(({ seq }) => seq)).to.deep.equal([1, 2, 3, 4, 5, 6]);
    expect(received.at(-1)).to.include({ content: 'late' });
    const next = messages((await changes(bob, rest.cursor)).all);
    expect(next.find(({ seq }) => seq === 1)).to.include({ content: 'late' });
  });

  it('returns messages written after a savepoint of a transaction that was open at the time of the cursor', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const cursor = await database.transaction(async (transaction) => {
      const run = (sql: string) => database.query(sql, [], transaction);
      await run('select pg_current_xact_id()');
      await run('savepoint part');
      await run(`update chats set last_seq = last_seq + 1 where id = ${groupId}`);
      await run(
        `insert into messages (chat_id, seq, sender_id, kind, content) values (${groupId}, 3, ${ada.id}, 'text', 'part')`,
      );
      await run('release savepoint part');
      await ada.client.done('privateMessage', { receiverId: bob.id, content: 'later' });
      return now(bob);
    });
    expect(messages((await changes(bob, cursor)).all).map(({ content }) => content)).to.deep.equal(['part']);
  });

  it('pages through members who join, change and leave, and through groups that the user has left', async () => {
    const [ada, bob, ...others] = await newClients(7);
    const groupId = await newGroup(ada.client, bob, ...others.slice(0, 3));
    const left = await Promise.all([1, 2, 3].map(() => newGroup(ada.client, bob)));
    const cursor = await now(bob);
    for (const { id: userId } of others.slice(3))
      await ada.client.done('addUserInGroup', { groupId, userId });
    for (const { id: userId } of others.slice(1))
      await ada.client.done('setMemberRole', { groupId, userId, role: 'admin' });
    for (const { client } of others.slice(3)) await client.done('leaveGroup', { groupId });
    for (const id of left) await bob.client.done('leaveGroup', { groupId: id });
    const { all } = await changes(bob, cursor, 1);
    expect(of(all, 'left').map((change) => change.groupId)).to.deep.equal(left);
    expect(of(all, 'member').map(({ userId, role }) => [userId, role])).to.deep.equal(
      others.slice(1, 3).map(({ id }) => [id, 'admin']),
    );
    expect(of(all, 'memberLeft').map(({ userId }) => userId)).to.deep.equal(
      others.slice(3).map(({ id }) => id),
    );
    expect(await changes(bob, cursor)).to.deep.include({ all });
  });

  it('returns who left and came back as a member, to everybody, and who left again as gone', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob, cleo);
    const people = [ada, bob, cleo];
    const cursors = await Promise.all(people.map(now));
    const found = async () =>
      Promise.all(
        people.map(async (person, n) => {
          const { all } = await changes(person, cursors[n]);
          return all
            .filter(({ kind }) => /^(member|memberLeft|left)$/.test(kind))
            .map(({ kind, userId }) => [kind, userId]);
        }),
      );
    await bob.client.done('leaveGroup', { groupId });
    const gone = ['memberLeft', bob.id];
    expect(await found()).to.deep.equal([[gone], [['left', undefined]], [gone]]);
    await ada.client.done('addUserInGroup', { groupId, userId: bob.id });
    const member = ['member', bob.id];
    expect(await found()).to.deep.equal([[member], [member], [member]]);
    await ada.client.done('removeUserFromGroup', { groupId, userId: bob.id });
    expect(await found()).to.deep.equal([[gone], [['left', undefined]], [gone]]);
  });

  it('returns who left a group, to them and to its members, when they have joined another one since', async () => {
    const [ada, bob] = await newClients(2);
    const [left, other] = [await newGroup(ada.client, bob), await newGroup(ada.client)];
    const cursors = [await now(ada), await now(bob)];
    await bob.client.done('leaveGroup', { groupId: left });
    await ada.client.done('addUserInGroup', { groupId: other, userId: bob.id });
    const [toAda, toBob] = [await changes(ada, cursors[0]), await changes(bob, cursors[1])];
    expect(of(toAda.all, 'memberLeft')).to.deep.equal([
      { kind: 'memberLeft', groupId: left, userId: bob.id },
    ]);
    expect(of(toBob.all, 'left')).to.deep.equal([{ kind: 'left', groupId: left }]);
  });

  it('finds changes among more chats than one statement reads', async () => {
    const [ada] = await newClients(1);
    const make = `
with made as (
  insert into chats (kind, name, created_by, last_seq) select 'group', n, $1, 1 from generate_series(1, 1200) n returning id
), joined as (
  insert into chat_members (chat_id, user_id, read_seq) select id, $1, 1 from made
)
insert into messages (chat_id, seq, sender_id, kind, content)
select id, 1, $1, 'text', 'hi' from made`;
    await database.execute(make, [ada.id]);
    const cursor = await now(ada);
    expect(await ada.client.done('sync', { cursor })).to.deep.include({ data: [], more: false });

    const groups = await database.query<{ chat_id: number }>(
      'select chat_id from chat_members where user_id = $1 order by chat_id',
      [ada.id],
    );
    const changed = [0, 499, 500, 1_199].map((n) => groups[n]?.chat_id);
    for (const groupId of changed) await ada.client.done('messageInGroup', { groupId, content: 'new' });
    for (const limit of [1, 3, 1_000]) {
      const { all } = await changes(ada, cursor, limit);
      expect(of(all, 'chat').map((change) => change.groupId)).to.deep.equal(changed);
      expect(messages(all).map(({ groupId, seq }) => [groupId, seq])).to.deep.equal(
        changed.map((groupId) => [groupId, 2]),
      );
    }
    expect(messages((await changes(ada)).all)).to.have.length(1_204);
  });

  it('continues from cursors of older versions, without loss', async () => {
    const [ada, bob] = await newClients(2);
    const ids: number[] = [];
    for (let n = 1; n <= 4; n++)
      ids.push((await ada.client.done('privateMessage', { receiverId: bob.id, content: `${n}` })).messageId);
    const settled = positionIn(await now(bob));
    expect(settled.slice(2)).to.deep.equal([null, 0, 0, 0]); // the columns that they read as well
    const [database, since] = settled;
    for (const messageId of ids.slice(0, 2))
      await ada.client.done('editMessage', { messageId, content: 'new' });
    const [, until] = positionIn(await now(bob));
    const [, , chatId] = positionIn((await bob.client.done('sync', { limit: 1 })).nextCursor).slice(1);
    const received = async (...position: unknown[]) =>
      messages((await changes(bob, signedCursor('sync', bob, position))).all).map(({ seq }) => seq);
    expect(await received(database, null, until, chatId, 4, 2)).to.deep.equal([3, 4]);
    expect(await received(database, null, until, chatId, 1, 0)).to.deep.equal([1, 2, 3, 4]);
    expect(await received(database, since, until, chatId, 4, 2)).to.deep.equal([1, 2]);
    expect(await received(database, since, until, 0, ada.id, 1)).to.deep.equal([1, 2]);
  });

  it('misses nothing while two nodes and open transactions write at the same time', async function () {
    this.timeout(60_000);
    const other = await startServer();
    const [reader, ...writers] = await newClients(5);
    const groups = await Promise.all(writers.map(({ client }) => newGroup(client, reader)));
    const clients = await Promise.all(
      writers.map((writer, n) => (n % 2 ? writer.client : writer.connect(other.url))),
    );
    let cursor = (await changes(reader)).cursor;

    const state = new Map<string, string>();
    const truth = new Map<string, string>();
    let writing = true;
    const writes = Promise.all(
      clients.map(async (client, n) => {
        const groupId = groups[n] as number;
        for (let m = 0; m < 120; m++) {
          const { messageId, seq } = await client.done('messageInGroup', { groupId, content: `${m}` });
          truth.set(`${groupId}:${seq}`, `${m}`);
          if (m % 3 === 0) {
            await client.done('editMessage', { messageId, content: `${m} edited` });
            truth.set(`${groupId}:${seq}`, `${m} edited`);
          }
        }
      }),
    );
    // a transaction with a low number that commits late, again and again
    const late = (async () => {
      const groupId = groups[0] as number;
      for (let n = 0; writing; n++)
        await database.transaction(async (transaction) => {
          await database.query('select pg_current_xact_id()', [], transaction);
          await new Promise((resolve) => setTimeout(resolve, 30));
          const bind = [groupId, `late ${n}`];
          await database.execute(
            'update messages set content = $2, changed_xid = pg_current_xact_id() where chat_id = $1 and seq = 1',
            bind,
            transaction,
          );
          truth.set(`${groupId}:1`, `late ${n}`);
        });
    })();
    const read = async () => {
      const page = await changes(reader, cursor, 20);
      cursor = page.cursor;
      for (const { groupId, seq, content } of messages(page.all)) state.set(`${groupId}:${seq}`, content);
    };
    const finished = writes.then(() => {
      writing = false;
    });
    while (writing) await read();
    await Promise.all([finished, late]);
    await read();
    for (const [key, content] of truth) expect(state.get(key), key).to.equal(content);
    expect(truth.size).to.equal(4 * 120 + 1);
    await other.close();
  });

  it('continues from a cursor, whatever fromNow says', async () => {
    const [ada, bob] = await newClients(2);
    const cursor = await now(bob);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    const page = await bob.client.done('sync', { cursor, fromNow: true });
    expect(page.data.map(({ kind }: Change) => kind)).to.deep.equal(['chat', 'message']);
    expect(messages(page.data).map(({ content }) => content)).to.deep.equal(['hi']);
  });

  it('starts over with a cursor of another database', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    const [, ...position] = positionIn(await now(bob));
    const cursor = signedCursor('sync', bob, ['1', ...position]);
    expect(messages((await changes(bob, cursor)).all)).to.have.length(1);
  });

  it('continues after a restart of PostgreSQL from a cursor of any time before the stop of the server', async () => {
    const recording = recordDatabaseRuns(database, pino({ level: 'silent' }));
    await until(async () => (await database.query('select from database_runs', [])).length > 0);
    await database.execute('select pg_current_xact_id()', []);
    /** Returns the present once all transactions have ended. */
    const settled = async () => {
      for (;;) {
        const [now] = await database.query<{ snapshot: string; database: string }>(presentState, []);
        const [xmin, xmax] = now?.snapshot.split(':') ?? [];
        if (now && xmin === xmax) return now;
      }
    };
    const { snapshot, database: run } = await settled();
    await recording.close();
    const isKnown = (since: string, until: string | null = null, of = run) =>
      isInDatabase(database, { database: of, since, until, position: START }, 'a later run');
    expect(await isKnown(snapshot)).to.equal(true);
    const later = '999999999:999999999:';
    expect(await isKnown(later)).to.equal(false);
    expect(await isKnown(snapshot, later), 'in the middle of a synchronisation').to.equal(false);
    const copied = '1@2';
    await database.execute(`insert into database_runs (id, settled_xid) values ($1, '999999999')`, [copied]);
    expect(await isKnown(snapshot, null, copied), 'of a database that this one is a copy of').to.equal(false);
  });

  it('keeps the records of the newest runs of PostgreSQL, and in each the newest transaction', async () => {
    const record = async () => {
      const recording = recordDatabaseRuns(database, pino({ level: 'silent' }));
      await until(
        async () =>
          (await database.query(`select from database_runs where id = 'old 1000'`, [])).length === 0,
      );
      await recording.close();
    };
    const [now] = await database.query<{ database: string }>(presentState, []);
    await database.execute(
      `insert into database_runs (id, settled_xid, noted_at)
       select 'old ' || n, '1', now() - n * interval '1 day' from generate_series(1, 1000) n`,
      [],
    );
    const newer = `
insert into database_runs (id, settled_xid) values ($1, '888888888')
on conflict (id) do update set settled_xid = excluded.settled_xid`;
    await database.execute(newer, [now?.database]);
    await record();
    const kept = await database.query<{ id: string }>(
      `select id from database_runs where id like 'old %' order by noted_at`,
      [],
    );
    expect(kept.length).to.be.within(990, 999);
    expect(kept.at(-1)).to.deep.equal({ id: 'old 1' });
    const own = 'select settled_xid::text as xid from database_runs where id = $1';
    expect(await database.query(own, [now?.database])).to.deep.equal([{ xid: '888888888' }]);
    await database.execute('delete from database_runs', []);
  });

  it('refuses a cursor that it did not return, that belongs to another user, or that is not signed', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    const position = positionIn(await now(bob));
    for (const cursor of [
      'nonsense',
      Buffer.from(JSON.stringify(position)).toString('base64url'),
      signedCursor('sync', ada, position),
      signedCursor('listUsers', bob, position),
      signedCursor('sync', bob, [1]),
    ])
      expect(await bob.client.call('sync', { cursor })).to.include({
        code: 'BAD_REQUEST',
        message: 'params.cursor must be a nextCursor that this command returned',
      });
  });

  it('returns nothing of chats of others, nor of the time before the user joined', async () => {
    const [ada, bob, eve] = await newClients(3);
    const cursor = await now(eve);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('updateGroup', { groupId, historyFrom: 'joining' });
    const { messageId } = await ada.client.done('messageInGroup', { groupId, content: 'secret' });
    expect((await changes(eve, cursor)).all).to.deep.equal([]);
    await ada.client.done('addUserInGroup', { groupId, userId: eve.id });
    for (const from of [cursor, undefined])
      expect(messages((await changes(eve, from)).all).map(({ seq }) => seq)).to.deep.equal([5]);
    const joined = await now(eve);
    await ada.client.done('editMessage', { messageId, content: 'another secret' });
    expect(messages((await changes(eve, joined)).all)).to.deep.equal([]);
    await http('DELETE', '/users/me', { token: bob.token, body: { password: bob.password } });
    await ada.client.push('leaveGroup');
    expect(of((await changes(eve, cursor)).all, 'memberLeft').map(({ userId }) => userId)).to.deep.equal([
      bob.id,
    ]);
  });

  it('reads only new rows, in chats that many users have left and in chats with many messages', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const many = 5_000;
    // Old statistics: no plan may depend on the estimated size of a chat.
    await database.sequelize.query('analyze');
    await database.transaction(async (transaction) => {
      const run = (sql: string) => database.query(sql, [groupId, many], transaction);
      await run(
        `insert into users (deleted_at) select now() from generate_series(1, $2::int) where $1::int > 0`,
      );
      await run(
        `insert into former_members (chat_id, user_id)
         select $1::bigint, id from (select id from users where email is null order by id desc limit $2::int) former`,
      );
    });
    const positionBefore = positionIn(await now(ada));
    const [, before] = positionBefore;
    const insert = `
insert into messages (chat_id, seq, sender_id, kind, content)
select $1::bigint, last_seq + n, $3::bigint, 'text', 'x' from chats, generate_series(1, $2::int) n where chats.id = $1::bigint`;
    await database.transaction(async (transaction) => {
      await database.execute(insert, [groupId, many, ada.id], transaction);
      const raise = 'update chats set last_seq = last_seq + $2::int where id = $1::bigint';
      await database.execute(raise, [groupId, many], transaction);
    });
    await ada.client.done('removeUserFromGroup', { groupId, userId: bob.id });
    const [, after] = positionIn(await now(ada));

    const limit = 20;
    for (const [since, changed] of [
      [before, limit], // 5,000 messages are new, and one member left
      [after, 0],
    ] as const) {
      const { rows, read } = await readBy(changesSince.text, [ada.id, since, 0, 2, 0, 0, limit, 500]);
      expect(rows).to.equal(changed);
      expect(read).to.be.at.most(200);
    }

    // Each of the new ones was changed too: they are skipped as changed messages.
    const cursor = signedCursor('sync', ada, positionBefore);
    await database.execute('update messages set changed_xid = pg_current_xact_id() where chat_id = $1', [
      groupId,
    ]);
    const all = (await changes(ada, cursor)).all.filter(({ kind }) => kind === 'message');
    expect(all.filter(({ isNew }) => !isNew).map(({ message }) => message.seq)).to.deep.equal([1, 2]);
    const seqs = all.filter(({ isNew }) => isNew).map(({ message }) => message.seq);
    expect(seqs).to.deep.equal(Array.from({ length: many + 1 }, (_, n) => n + 3));
  });
});
