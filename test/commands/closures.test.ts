import { expect } from 'chai';
import pg from 'pg';
import { pino } from 'pino';
import { emptyClosedGroups } from '../../src/chats/closures.ts';
import type { CommandName } from '../../src/client/protocol.ts';
import { commands } from '../../src/commands/registry.ts';
import type { Client } from '../support/client.ts';
import { database, databaseUrl, newClients, newUsers, startServer } from '../support/harness.ts';
import { until } from '../support/until.ts';

const log = pino({ level: 'silent' });

const holders: pg.Client[] = [];

/** Blocks the removal of a member's row until the returned function is called. */
async function holdMember(groupId: number, userId: number): Promise<() => Promise<void>> {
  const holder = new pg.Client(databaseUrl());
  holders.push(holder);
  await holder.connect();
  await holder.query('begin');
  await holder.query('select from chat_members where chat_id = $1 and user_id = $2 for update', [
    groupId,
    userId,
  ]);
  return () => holder.end();
}

const members = (chatId: number) => database.members.count({ where: { chatId } });
const isEmptied = async (groupId: number) =>
  (await database.query('select from closures where chat_id = $1', [groupId])).length === 0;

interface Former {
  readonly userId: number;
  readonly leftSeq: number;
  readonly isOfClosing: boolean;
}

const formerMembers = (groupId: number) =>
  database.query<Former>(
    `select user_id as "userId", left_seq as "leftSeq", former.xid = changed_xid as "isOfClosing"
     from former_members former join chats on chats.id = chat_id where chat_id = $1 order by user_id`,
    [groupId],
  );

/** Closes a group as a node does that dies right after it. */
async function closeAlone(groupId: number): Promise<void> {
  await database.execute(
    `with closed as (
       update chats set closed_at = clock_timestamp(), member_count = 0, changed_xid = pg_current_xact_id(),
         rules_version = rules_version + 1
       where id = $1 returning id
     ) insert into closures (chat_id) select id from closed`,
    [groupId],
  );
}

interface SyncChange {
  readonly kind: string;
  readonly groupId?: number;
}

async function leftSince(client: Client, cursor: string) {
  const { data, nextCursor } = await client.done('sync', { cursor });
  return {
    left: (data as SyncChange[]).filter(({ kind }) => kind === 'left'),
    data: data as SyncChange[],
    nextCursor,
  };
}

interface Named {
  readonly groupId: number;
  readonly messageId: number;
  readonly code: string;
  readonly memberId: number;
  readonly strangerId: number;
}

/** The table: a request of every command about a group or a message, and of `joinByInvite`. */
function requestsIn(named: Named): Partial<Record<CommandName, object>> {
  const { groupId, messageId, code, memberId, strangerId } = named;
  const member = { groupId, userId: memberId };
  const stranger = { groupId, userId: strangerId };
  return {
    messageInGroup: { groupId, content: 'still there?' },
    sendEvent: { groupId, event: 'wave' },
    typing: { groupId, typing: true },
    getMessages: { groupId },
    getlatestMessageGroup: { groupId },
    getMessage: { messageId },
    getThread: { messageId },
    getReceipts: { messageId },
    getMessagesAround: { messageId },
    listEdits: { messageId },
    editMessage: { messageId, content: 'x' },
    deleteMessage: { messageId },
    addReaction: { messageId, emoji: '👍' },
    removeReaction: { messageId, emoji: '👍' },
    pinMessage: { messageId },
    unpinMessage: { messageId },
    forwardMessage: { messageId, receiverId: strangerId },
    reportMessage: { messageId, reason: 'spam' },
    listGroupMembers: { groupId },
    listPins: { groupId },
    searchMessages: { groupId, query: 'x' },
    getGroup: { groupId },
    getChat: { groupId },
    markRead: { groupId, seq: 1 },
    markDelivered: { groupId, seq: 1 },
    markUnread: { groupId },
    muteChat: { groupId, muted: true },
    archiveChat: { groupId, archived: true },
    pinChat: { groupId, pinned: true },
    addUserInGroup: stranger,
    banUser: stranger,
    unbanUser: stranger,
    removeUserFromGroup: member,
    setMemberRole: { groupId, userId: memberId, role: 'admin' },
    transferOwnership: member,
    leaveGroup: { groupId },
    joinGroup: { groupId },
    joinByInvite: { code },
    createInvite: { groupId },
    listInvites: { groupId },
    revokeInvite: { groupId, inviteId: 1 },
    updateGroup: { groupId, description: 'x' },
    deleteGroup: { groupId },
  };
}

describe('the id of a dialog', () => {
  it('names no group, whichever command about a group its members send', async () => {
    const [ada, bob] = await newClients(2);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    const groupId = (await database.messages.findOne({ where: { id: messageId } }))?.chatId as number;
    const named = { groupId, messageId, code: '-', memberId: bob.id, strangerId: bob.id };
    const accepted: string[] = [];
    for (const [type, params] of Object.entries(requestsIn(named)))
      if ('groupId' in params && (await ada.client.call(type, params)).code !== 'NOT_FOUND')
        accepted.push(type);
    expect(accepted).to.deep.equal([]);
  });
});

describe('a group that is deleted', () => {
  afterEach(() => Promise.all(holders.splice(0).map((holder) => holder.end())));

  it('is tried with every command about a group or a message: all are in the table', () => {
    const requests = requestsIn({ groupId: 1, messageId: 1, code: '', memberId: 1, strangerId: 2 });
    const missing = commands.filter(
      ({ type, params }) =>
        ('groupId' in params.properties || 'messageId' in params.properties) && !requests[type],
    );
    expect(
      missing.map(({ type }) => type),
      'not tried',
    ).to.deep.equal([]);
  });

  it('is closed for all members at once, however long the removal of their rows takes', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupName = `Climbers of ${ada.username}`;
    const settings = { groupName, isPrivate: false, userIds: [bob.id] };
    const { groupId } = await ada.client.done('newGroup', settings);
    const { code } = (await ada.client.done('createInvite', { groupId })).data;
    const words = `summit${ada.id}`;
    const { messageId } = await bob.client.done('messageInGroup', { groupId, content: words });
    const { nextCursor: before } = await bob.client.done('sync', { fromNow: true });
    const { nextCursor: cleosBefore } = await cleo.client.done('sync', { fromNow: true });
    const release = await holdMember(groupId, bob.id);

    await ada.client.done('deleteGroup', { groupId });
    expect((await bob.client.push('deleteGroup')).params).to.include({ groupId, seq: 3 });
    expect(await members(groupId)).to.equal(2);
    const requests = requestsIn({ groupId, messageId, code, memberId: ada.id, strangerId: cleo.id });
    for (const [type, params] of Object.entries(requests))
      expect(await bob.client.refused(type, params), type).to.equal('NOT_FOUND');
    expect((await bob.client.done('searchMessages', { query: words })).data).to.deep.equal([]);
    expect((await bob.client.done('listLastMessage')).data).to.deep.equal([]);
    expect((await cleo.client.done('listGroups', { query: groupName })).data).to.deep.equal([]);
    await ada.client.done('deleteGroup', { groupId }); // again
    await ada.client.done('newGroup', settings); // its name is free

    const during = await leftSince(bob.client, before);
    expect(during.left).to.deep.equal([{ kind: 'left', groupId }]);
    expect(during.data.filter((change) => change.groupId === groupId)).to.deep.equal(during.left);

    const everything: SyncChange[] = (await bob.client.done('sync', {})).data;
    expect(everything.filter((change) => change.groupId === groupId)).to.deep.equal([]);
    expect((await leftSince(cleo.client, cleosBefore)).data, 'who is no member').to.deep.equal([]);

    await release();
    await until(() => isEmptied(groupId));
    expect(await members(groupId)).to.equal(0);
    expect(await formerMembers(groupId)).to.deep.equal(
      [ada, bob].map(({ id }) => ({ userId: id, leftSeq: 3, isOfClosing: true })),
    );
    expect((await leftSince(bob.client, before)).left).to.deep.equal(during.left);
    expect((await leftSince(bob.client, during.nextCursor)).left).to.deep.equal([]);
  });

  it('is reported by sync to a client that reads its pages while the rows of members are removed', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'a chat that comes first' });
    const { groupId } = await ada.client.done('newGroup', { groupName: 'Climbers', userIds: [bob.id] });
    let { nextCursor: cursor } = await bob.client.done('sync', { fromNow: true });
    for (const content of ['one', 'two'])
      await ada.client.done('privateMessage', { receiverId: bob.id, content });
    const release = await holdMember(groupId, Math.min(ada.id, bob.id));
    await ada.client.done('deleteGroup', { groupId });

    const left: unknown[] = [];
    for (let more = true, pages = 0; more; pages++) {
      const page = await bob.client.done('sync', { cursor, limit: pages === 0 ? 2 : 10 });
      left.push(...page.data.filter(({ kind }: SyncChange) => kind === 'left'));
      ({ nextCursor: cursor, more } = page);
      if (pages > 0) continue;
      expect(more).to.equal(true);
      await release();
      await until(() => isEmptied(groupId));
    }
    expect(left).to.deep.equal([{ kind: 'left', groupId }]);
    expect((await leftSince(bob.client, cursor)).left).to.deep.equal([]);
  });

  it('pushes nothing to a member who connects during the deletion, on any node', async () => {
    const [ada, bob] = await newClients(2);
    const { groupId } = await ada.client.done('newGroup', { groupName: 'Climbers', userIds: [bob.id] });
    const release = await holdMember(groupId, Math.min(ada.id, bob.id));
    const node = await startServer();
    try {
      const late = await bob.connect(node.url);
      await late.done('messageInGroup', { groupId, content: 'by what this node remembers' });
      await late.done('messageInGroup', { groupId, content: 'plain' });
      await ada.client.done('deleteGroup', { groupId });
      const again = await bob.connect(node.url);
      for (const client of [late, again])
        expect(await client.refused('messageInGroup', { groupId, content: 'too late' })).to.equal(
          'NOT_FOUND',
        );
      expect((await again.rest()).map(({ type }) => type)).to.not.include('messageInGroup');
    } finally {
      await release();
      await node.close();
    }
    await until(() => isEmptied(groupId));
  });

  it('is emptied by the next node that starts after the node that closed it died', async () => {
    const [ada, bob] = await newClients(2);
    const { groupId } = await ada.client.done('newGroup', { groupName: 'Climbers', userIds: [bob.id] });
    await closeAlone(groupId);
    const node = await startServer();
    await until(() => isEmptied(groupId));
    await node.close();
    expect(await members(groupId)).to.equal(0);
    expect((await formerMembers(groupId)).map(({ isOfClosing }) => isOfClosing)).to.deep.equal([true, true]);
    expect(await ada.client.refused('getGroup', { groupId })).to.equal('NOT_FOUND');
  });

  it('is emptied at once by the node that deleted it, one group after another', async function () {
    this.timeout(60_000); // three rounds of the check for the groups of nodes that died take longer
    const [ada, bob] = await newClients(2);
    for (let n = 0; n < 3; n++) {
      const { groupId } = await ada.client.done('newGroup', { groupName: 'Climbers', userIds: [bob.id] });
      await ada.client.done('deleteGroup', { groupId });
      await until(() => isEmptied(groupId));
      expect(await members(groupId)).to.equal(0);
    }
  });

  it('is emptied once, by any number of nodes and in any number of slices', async () => {
    const [{ client }] = await newClients(1);
    const { groupId } = await client.done('newGroup', { groupName: 'Climbers' });
    await database.execute(
      `with added as (
         insert into users (email, username, password_hash)
         select name, name, '-' from (select 'member ' || $1::bigint || ' ' || n as name from generate_series(1, 1200) n) names
         returning id
       ) insert into chat_members (chat_id, user_id) select $1, id from added`,
      [groupId],
    );
    await closeAlone(groupId);
    const nodes = [1, 2, 3].map(() => emptyClosedGroups(database, log));
    await until(() => isEmptied(groupId));
    await Promise.all(nodes.map((node) => node.close()));
    expect(await members(groupId)).to.equal(0);
    expect(await formerMembers(groupId)).to.have.length(1201);
  });

  it('keeps the members of an open group, even when it is queued for emptying', async () => {
    const [ada] = await newUsers(1);
    const client = await ada.connect();
    const { nextCursor: before } = await client.done('sync', { fromNow: true });
    const { groupId } = await client.done('newGroup', { groupName: 'Climbers' });
    await database.execute('insert into closures (chat_id) values ($1)', [groupId]);
    expect((await leftSince(client, before)).left).to.deep.equal([]);
    const emptying = emptyClosedGroups(database, log);
    await client.done('messageInGroup', { groupId, content: 'here' });
    await emptying.close();
    await database.execute('delete from closures where chat_id = $1', [groupId]);
    expect(await members(groupId)).to.equal(1);
  });
});
