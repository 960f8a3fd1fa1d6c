import { expect } from 'chai';
import { KeyedQueue } from '../../src/bus/KeyedQueue.ts';
import { moveTo } from '../../src/chats/movePositions.ts';
import { Positions } from '../../src/chats/Positions.ts';
import type { CommandContext } from '../../src/commands/context.ts';
import type { Database } from '../../src/database/database.ts';
import type { ChatId } from '../../src/ids.ts';
import type { Frame } from '../support/client.ts';
import { database, newClients, newGroup, type Person, startServer } from '../support/harness.ts';
import { until } from '../support/until.ts';

const chat = async (client: { done(type: string): Promise<{ data: Record<string, unknown>[] }> }) =>
  (await client.done('listLastMessage')).data[0] ?? {};

/** Inserts messages of the user $2 in the group $1, up to $3, every seventh of them silent. */
const written = `
with added as (
  insert into messages (chat_id, seq, sender_id, kind, content, silent, tally)
  select id, seq, $2, 'text', 'hi', seq % 7 = 0,
    chats.tally + sum(case when seq % 7 = 0 then 0 else 1 end) over (order by seq)
  from chats cross join lateral generate_series(chats.last_seq + 1, $3::int) seq
  where id = $1
  returning seq, tally, id
)
update chats set last_seq = seq, tally = added.tally, last_message_id = added.id
from added where chats.id = $1 and seq = $3
`;
/** Deletions by an operator, of whole ranges and of the ends of two. */
const deleted = `update messages set deleted_at = coalesce(deleted_at, now()) where chat_id = $1 and (seq % 3 = 0 or seq between 4090 and 4100)`;
const deletedInPart = `update messages set deleted_at = coalesce(deleted_at, now()) where chat_id = $1 and seq between 8000 and 8200`;
const unread = `
select count(*) from messages
where chat_id = $1 and seq > $2 and deleted_at is null and kind = 'text' and not silent
`;

describe('markRead', () => {
  it('reduces the number of unread messages, and pushes to the other user and own devices', async () => {
    const [ada, bob] = await newClients(2);
    const device = await bob.connect();
    for (let n = 1; n <= 5; n++)
      await ada.client.done('privateMessage', { receiverId: bob.id, content: `${n}` });
    expect(await chat(bob.client)).to.include({ unreadCount: 5, readSeq: 0 });
    const { data } = await bob.client.done('markRead', { receiverId: ada.id, seq: 3 });
    expect(data).to.include({ readSeq: 3, unreadCount: 2, mentionCount: 0 });
    for (const client of [ada.client, device])
      expect((await client.push('markRead')).params).to.include({
        senderId: bob.id,
        receiverId: ada.id,
        seq: 3,
      });
    expect(await chat(bob.client)).to.include({ unreadCount: 2, readSeq: 3, deliveredSeq: 3 });
    expect(await chat(ada.client)).to.include({ unreadCount: 0, otherReadSeq: 3, otherDeliveredSeq: 3 });
  });

  it('moves forwards only, and not beyond the newest message', async () => {
    const [ada, bob] = await newClients(2);
    for (let n = 1; n <= 3; n++)
      await ada.client.done('privateMessage', { receiverId: bob.id, content: `${n}` });
    for (const seq of [2, 2, 1]) await bob.client.done('markRead', { receiverId: ada.id, seq });
    expect(await chat(bob.client)).to.include({ unreadCount: 1, readSeq: 2 });
    expect((await ada.client.rest()).filter(({ type }) => type === 'markRead')).to.have.length(1);
    expect(await bob.client.refused('markRead', { receiverId: ada.id, seq: 4 })).to.equal('BAD_REQUEST');
    expect(await bob.client.refused('markRead', { receiverId: 999_999_999, seq: 1 })).to.equal('NOT_FOUND');
  });

  it('runs no transaction when there is nothing to change', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: '1' });
    let transactions = 0;
    const db: Database = {
      ...database,
      transaction(work, committed) {
        transactions++;
        return database.transaction(work, committed);
      },
    };
    const { bus, changes } = { bus: { publish: () => {} }, changes: new KeyedQueue() };
    const positions = new Positions(db);
    const context = { session: { userId: bob.id }, db, bus, changes, positions } as unknown as CommandContext;
    for (const type of ['markDelivered', 'markRead', 'markRead', 'markDelivered'] as const)
      await moveTo(context, type, { receiverId: ada.id }, 1);
    expect(transactions).to.equal(2);
    await bob.client.done('markUnread', { receiverId: ada.id });
    await moveTo(context, 'markRead', { receiverId: ada.id }, 1);
    expect(transactions).to.equal(3);
    expect(await chat(bob.client)).to.include({ unreadCount: 0, readSeq: 1, markedUnread: false });
  });

  it('pushes to own devices only in a group, and counts no silent, system or deleted messages as unread', async () => {
    const [ada, bob] = await newClients(2);
    const device = await bob.connect();
    const groupId = await newGroup(ada.client, bob);
    expect((await chat(bob.client)).unreadCount).to.equal(0);
    await ada.client.done('messageInGroup', { groupId, content: 'loud' });
    await ada.client.done('messageInGroup', { groupId, content: 'soft', silent: true });
    const { messageId } = await ada.client.done('messageInGroup', { groupId, content: 'gone' });
    await ada.client.done('updateGroup', { groupId, groupName: 'New' });
    expect((await chat(bob.client)).unreadCount).to.equal(2);
    await ada.client.done('deleteMessage', { messageId });
    expect((await chat(bob.client)).unreadCount).to.equal(1);
    expect((await bob.client.push('messageInGroup')).params).not.to.have.property('silent');
    expect((await bob.client.push('messageInGroup')).params.silent).to.equal(true);
    await bob.client.done('markRead', { groupId, seq: 6 });
    expect((await device.push('markRead')).params).to.include({ groupId, seq: 6 });
    expect((await ada.client.rest()).filter(({ type }) => type === 'markRead')).to.deep.equal([]);
    expect((await chat(bob.client)).unreadCount).to.equal(0);
  });

  it('counts unread messages exactly after deletions by any member at any position', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const { messageId } = await ada.client.done('messageInGroup', { groupId, content: 'gone' });
    for (let times = 0; times < 2; times++) await ada.client.done('deleteMessage', { messageId }); // counted once
    await database.execute(written, [groupId, ada.id, 9_000]);
    for (const statement of [deleted, deletedInPart]) await database.query(statement, [groupId]);
    for (const seq of [2, 3, 4_094, 4_095, 4_096, 4_097, 8_191, 8_192, 8_193, 8_998, 8_999, 9_000]) {
      const { unreadCount } = (await bob.client.done('markRead', { groupId, seq })).data;
      const [left] = await database.query<{ count: number }>(unread, [groupId, seq]);
      expect(unreadCount, `behind ${seq}`).to.equal(left?.count);
      expect(await chat(bob.client)).to.include({ unreadCount });
    }
  });

  it('counts a concurrent deletion once while all messages are recounted', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await database.execute(written, [groupId, ada.id, 10]);
    const remove = 'update messages set deleted_at = now() where chat_id = $1 and seq = $2';
    await database.execute(remove, [groupId, 5]);
    await database.execute('delete from deleted_messages where chat_id = $1', [groupId]);
    const counting = await database.transaction(async (transaction) => {
      await database.execute(remove, [groupId, 6], transaction);
      const counting = database.query('select count_deleted_messages($1)', [groupId]);
      const waits = `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%count_deleted_messages%'`;
      await until(async () => (await database.reads.query(waits, [])).length > 0);
      return { counting };
    });
    await counting.counting;
    await database.execute(remove, [groupId, 8]);
    expect(await chat(bob.client)).to.include({ unreadCount: 4 }); // 3 to 10, without the silent one and the three
    await database.execute('update messages set deleted_at = null where chat_id = $1', [groupId]);
    await database.query('select count_deleted_messages($1)', [groupId]);
    expect(await chat(bob.client)).to.include({ unreadCount: 7 });
  });

  it('is implied by sending a message', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'ping' });
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'pong' });
    expect(await chat(bob.client)).to.include({ unreadCount: 0, readSeq: 2 });
    expect(await chat(ada.client)).to.include({ unreadCount: 1, readSeq: 1 });
    const pushes = [...(await ada.client.rest()), ...(await bob.client.rest())].map(({ type }) => type);
    expect(pushes, 'no receipts').to.deep.equal(['privateMessage', 'privateMessage']);
  });

  it('is implied by sending a message, which removes the mark of markUnread', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'ping' });
    const contents = ['the first one', 'plain', `not plain, @${ada.username}`];
    for (const [n, content] of contents.entries()) {
      await bob.client.done('markUnread', { receiverId: ada.id });
      await bob.client.done('privateMessage', { receiverId: ada.id, content });
      const [readSeq, deliveredSeq] = [n + 2, n + 2];
      const state = { readSeq, deliveredSeq, unreadCount: 0, markedUnread: false };
      expect(await chat(bob.client), content).to.include(state);
    }
  });

  it('leaves a position where it is that moved further since it was read, and the mark as well', async () => {
    const [ada, bob] = await newClients(2);
    for (let n = 1; n <= 3; n++)
      await ada.client.done('privateMessage', { receiverId: bob.id, content: `${n}` });
    await bob.client.done('markRead', { receiverId: ada.id, seq: 3 });
    await bob.client.done('markUnread', { receiverId: ada.id });
    const { chatId } = (await database.messages.findOne({ where: { senderId: ada.id } })) as {
      chatId: ChatId;
    };
    const positions = new Positions(database);
    const moved: number[] = [];
    for (const type of ['markRead', 'markDelivered'] as const)
      await positions.move(type, { chatId, userId: bob.id, seq: 2, committed: ({ seq }) => moved.push(seq) });
    expect(moved).to.deep.equal([]);
    const state = { readSeq: 3, deliveredSeq: 3, unreadCount: 0, markedUnread: true };
    expect(await chat(bob.client)).to.include(state);
  });

  it('counts what is left after the deletion of silent messages, which never counted, and of loud ones', async () => {
    const [ada, bob] = await newClients(2);
    const ids: number[] = [];
    for (const silent of [true, false, true, false]) {
      const message = { receiverId: bob.id, content: 'x', silent };
      ids.push((await ada.client.done('privateMessage', message)).messageId);
    }
    for (const [n, left] of [2, 1, 1, 0].entries()) {
      await ada.client.done('deleteMessage', { messageId: ids[n] });
      expect(await chat(bob.client)).to.include({ unreadCount: left });
    }
  });

  it('commits many calls together, and only a call whose row is locked waits', async () => {
    const people = await newClients(5);
    const [ada, bob, ...others] = people;
    const groupId = await newGroup(ada.client, bob, ...others);
    const { seq } = await ada.client.done('messageInGroup', { groupId, content: 'read me' });
    const device = await bob.connect();
    const read = ({ client }: (typeof people)[number]) => client.done('markRead', { groupId, seq });
    const waiting = await database.sequelize.transaction(async (transaction) => {
      const lock = 'select from chat_members where chat_id = $1 and user_id = $2 for update';
      await database.query(lock, [groupId, bob.id], transaction);
      const locked = read(bob);
      const done = await Promise.all(others.map(read));
      expect(done.map(({ data }) => data)).to.have.lengthOf(3);
      for (const { data } of done) expect(data).to.include({ readSeq: seq, unreadCount: 0 });
      expect((await device.rest()).filter(({ type }) => type === 'markRead')).to.deep.equal([]);
      return { locked };
    });
    expect((await waiting.locked).data).to.include({ readSeq: seq, unreadCount: 0 });
    expect((await device.push('markRead')).params).to.include({ senderId: bob.id, groupId, seq });
    const states = await Promise.all(others.map(({ client }) => chat(client)));
    for (const state of states) expect(state).to.include({ unreadCount: 0, readSeq: seq, deliveredSeq: seq });
  });

  it('leaves correct counts when many users write and read at the same time, on two nodes', async () => {
    const other = await startServer();
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob, cleo);
    const there = await cleo.connect(other.url);
    const sends = Array.from({ length: 60 }, (_, n) =>
      (n % 2 ? ada.client : there).done('messageInGroup', { groupId, content: `${n}` }),
    );
    await Promise.all(
      sends.map(
        async (send, n) => n % 10 === 0 && bob.client.done('markRead', { groupId, seq: (await send).seq }),
      ),
    );
    await Promise.all(sends);
    const { unreadCount, readSeq, seq } = await chat(bob.client);
    expect(unreadCount).to.equal((seq as number) - (readSeq as number));
    await other.close();
  });
});

describe('markDelivered', () => {
  it('pushes to the other user, and moves forwards only', async () => {
    const [ada, bob] = await newClients(2);
    for (let n = 1; n <= 2; n++)
      await ada.client.done('privateMessage', { receiverId: bob.id, content: `${n}` });
    const { nextCursor: cursor } = await ada.client.done('sync', { fromNow: true });
    for (const seq of [2, 2, 1]) await bob.client.done('markDelivered', { receiverId: ada.id, seq });
    expect((await ada.client.push('markDelivered')).params).to.include({ senderId: bob.id, seq: 2 });
    expect(await ada.client.rest()).to.deep.equal([]);
    expect(await chat(bob.client)).to.include({ deliveredSeq: 2, readSeq: 0, unreadCount: 2 });
    const { data } = await ada.client.done('sync', { cursor });
    expect(data).to.have.length(1);
    expect(data[0]).to.include({ kind: 'chat', otherDeliveredSeq: 2, otherReadSeq: 0 });
    await bob.client.done('markRead', { receiverId: ada.id, seq: 1 });
    expect(await chat(bob.client), 'still delivered').to.include({ deliveredSeq: 2, readSeq: 1 });
  });
});

describe('getReceipts', () => {
  it('lists which of the members at that time have received and read a message', async () => {
    const [ada, bob, cleo, dan] = await newClients(4);
    const groupId = await newGroup(ada.client, bob, cleo);
    const { messageId, seq } = await ada.client.done('messageInGroup', { groupId, content: 'read me' });
    await bob.client.done('markRead', { groupId, seq });
    await cleo.client.done('markDelivered', { groupId, seq });
    await ada.client.done('addUserInGroup', { groupId, userId: dan.id });
    const { data } = await ada.client.done('getReceipts', { messageId });
    expect(data).to.have.deep.members([
      { userId: bob.id, username: bob.username, delivered: true, read: true },
      { userId: cleo.id, username: cleo.username, delivered: true, read: false },
    ]);
    const page = await ada.client.done('getReceipts', { messageId, limit: 1 });
    const rest = await ada.client.done('getReceipts', { messageId, limit: 1, cursor: page.nextCursor });
    expect([...page.data, ...rest.data]).to.deep.equal(data);
  });
});

describe('the settings of a chat', () => {
  it('are private to the user, pushed to own devices, and listed', async () => {
    const [ada, bob] = await newClients(2);
    const device = await bob.connect();
    const groupId = await newGroup(ada.client, bob);
    await device.rest();
    const until = new Date(Date.now() + 3_600_000).toISOString();
    for (const [type, params] of [
      ['muteChat', { muted: true, until }],
      ['archiveChat', { archived: true }],
      ['pinChat', { pinned: true }],
      ['markUnread', {}],
    ] as const) {
      for (let times = 0; times < 2; times++) await bob.client.done(type, { groupId, ...params });
      expect((await device.push(type)).params).to.include({ groupId, ...params });
    }
    expect(await device.rest()).to.deep.equal([]); // a repeat changes nothing
    const on = { muted: true, mutedUntil: until, archived: true, pinned: true, markedUnread: true };
    expect(await chat(bob.client)).to.include(on);
    expect(await chat(ada.client)).to.include({
      muted: false,
      archived: false,
      pinned: false,
      markedUnread: false,
    });
    expect((await bob.client.done('listLastMessage', { archived: false })).data).to.deep.equal([]);
    expect((await bob.client.done('listLastMessage', { archived: true })).data).to.have.length(1);

    await bob.client.done('muteChat', { groupId, muted: false });
    await bob.client.done('archiveChat', { groupId, archived: false });
    await bob.client.done('pinChat', { groupId, pinned: false });
    await bob.client.done('markRead', { groupId, seq: 1 });
    const off = { muted: false, mutedUntil: null, archived: false, pinned: false, markedUnread: false };
    expect(await chat(bob.client)).to.include(off);
    await bob.client.done('muteChat', { groupId, muted: true });
    expect(await chat(bob.client)).to.include({ muted: true, mutedUntil: null });
    await device.rest();
    await bob.client.done('muteChat', { groupId, muted: true, until });
    expect((await device.push('muteChat')).params, 'only the end changes').to.include({ groupId, until });
    expect(await chat(bob.client)).to.include({ muted: true, mutedUntil: until });
    await bob.client.done('muteChat', { groupId, muted: true, until: '2020-01-01T00:00:00Z' });
    expect(await chat(bob.client)).to.include({ muted: false });
  });

  it('are allowed to the members of the chat', async () => {
    const [ada, bob, eve] = await newClients(3);
    const groupId = await newGroup(ada.client);
    for (const [type, params] of [
      ['muteChat', { muted: true }],
      ['archiveChat', { archived: true }],
      ['pinChat', { pinned: true }],
      ['markUnread', {}],
      ['markRead', { seq: 1 }],
      ['markDelivered', { seq: 1 }],
      ['typing', { typing: true }],
    ] as const) {
      expect(await eve.client.refused(type, { groupId, ...params }), type).to.equal('NOT_A_MEMBER');
      expect(await eve.client.refused(type, { receiverId: bob.id, ...params }), type).to.equal('NOT_FOUND');
      expect(await eve.client.refused(type, params), type).to.equal('BAD_REQUEST');
    }
    expect(await ada.client.refused('muteChat', { groupId, muted: true, until: 'tomorrow' })).to.equal(
      'BAD_REQUEST',
    );
  });
});

describe('the settings of a dialog', () => {
  /** Everything that a user alone may know about a chat, in an order in which each of them is a change. */
  const settings = [
    ['muteChat', { muted: true }, { muted: true }],
    ['archiveChat', { archived: true }, { archived: true }],
    ['pinChat', { pinned: true }, { pinned: true }],
    ['markUnread', {}, { markedUnread: true }],
    ['markRead', { seq: 1 }, { markedUnread: false }],
    ['muteChat', { muted: false }, { muted: false }],
    ['archiveChat', { archived: false }, { archived: false }],
    ['pinChat', { pinned: false }, { pinned: false }],
  ] as const;

  /** Creates a dialog and a group that both users have read. */
  async function chats() {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    await bob.client.done('markRead', { receiverId: ada.id, seq: 1 });
    await bob.client.done('markRead', { groupId, seq: 1 });
    await ada.client.rest();
    return { ada, bob, addresses: { dialog: { receiverId: ada.id }, group: { groupId } } };
  }
  const cursorOf = async ({ client }: Person): Promise<string> =>
    (await client.done('sync', { fromNow: true })).nextCursor;

  for (const kind of ['dialog', 'group'] as const) {
    it(`are found by the sync of the user, each of them, in a ${kind}`, async () => {
      const { bob, addresses } = await chats();
      for (const [type, params, changed] of settings) {
        const cursor = await cursorOf(bob);
        await bob.client.done(type, { ...addresses[kind], ...params });
        const { data } = await bob.client.done('sync', { cursor });
        expect(data, type).to.have.length(1);
        expect(data[0], type).to.include({ kind: 'chat', ...addresses[kind], ...changed });
      }
    });

    it(`reach the other member neither as a push nor by sync, in a ${kind}`, async () => {
      const { ada, bob, addresses } = await chats();
      const cursor = await cursorOf(ada);
      for (const [type, params] of settings) {
        await bob.client.done(type, { ...addresses[kind], ...params });
        expect(await ada.client.rest(), type).to.deep.equal([]);
        expect((await ada.client.done('sync', { cursor })).data, type).to.deep.equal([]);
      }
    });
  }

  it('do not hide a position that moves together with the end of the mark', async () => {
    const { ada, bob } = await chats();
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'new' });
    await bob.client.done('markUnread', { receiverId: ada.id });
    const cursor = await cursorOf(ada);
    await bob.client.done('markRead', { receiverId: ada.id, seq: 2 });
    expect((await ada.client.push('markRead')).params.seq).to.equal(2);
    const { data } = await ada.client.done('sync', { cursor });
    expect(data.map((change: Frame) => change.otherReadSeq)).to.deep.equal([2]);
  });
});

describe('typing', () => {
  it('is pushed to the other members of the chat when it begins and when it ends', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    await bob.client.rest();
    for (const typing of [true, false]) {
      await ada.client.done('typing', { receiverId: bob.id, typing });
      expect((await bob.client.push('typing')).params).to.deep.equal({
        data: null,
        message: null,
        senderName: ada.username,
        senderId: ada.id,
        receiverId: bob.id,
        typing,
        expiresInSeconds: 6,
      });
    }
  });

  it('has a rate limit of its own that limits no other command', async () => {
    const limited = await startServer({ RATE_LIMITS: 'on' });
    const [ada, bob] = await newClients(2);
    const client = await ada.connect(limited.url);
    await client.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    const ids = Array.from({ length: 20 }, () => client.send('typing', { receiverId: bob.id, typing: true }));
    const codes = (await Promise.all(ids.map((id) => client.reply(id)))).map(({ code }) => code ?? 'done');
    expect(codes.filter((code) => code === 'done').length).to.be.within(10, 12);
    expect(codes.at(-1)).to.equal('RATE_LIMITED');
    await client.done('privateMessage', { receiverId: bob.id, content: 'still there' });
    await limited.close();
  });
});
