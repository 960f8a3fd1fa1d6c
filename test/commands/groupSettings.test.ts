import { expect } from 'chai';
import { database, newClients, newGroup } from '../support/harness.ts';
import { until } from '../support/until.ts';

describe('newGroup with settings', () => {
  it('adds users at once, who receive the push and the messages of the group', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const { groupId } = await ada.client.done('newGroup', {
      groupName: 'Crew',
      description: 'Sundays',
      userIds: [bob.id, cleo.id, bob.id, ada.id],
      custom: { colour: 'red' },
    });
    for (const { client } of [bob, cleo])
      expect((await client.push('newGroup')).params).to.deep.include({
        message: `${ada.username} created the group "Crew" with ${bob.username} and ${cleo.username}`,
        groupId,
        userIds: [bob.id, cleo.id],
      });
    await bob.client.done('messageInGroup', { groupId, content: 'hello' });
    expect((await cleo.client.push('messageInGroup')).params.seq).to.equal(2);
    const { data } = await cleo.client.done('getGroup', { groupId });
    expect(data).to.deep.include({
      groupId,
      groupName: 'Crew',
      description: 'Sundays',
      isPrivate: true,
      memberCount: 3,
      custom: { colour: 'red' },
      role: 'member',
    });
  });

  it('creates nothing when one of the users does not exist', async () => {
    const [ada, bob] = await newClients(2);
    const params = { groupName: 'Crew', userIds: [bob.id, 999_999_999] };
    expect(await ada.client.refused('newGroup', params)).to.equal('NOT_FOUND');
    expect((await bob.client.done('listLastMessage')).data).to.deep.equal([]);
    expect(await bob.client.rest()).to.deep.equal([]);
  });

  it('creates one group for repeats with the same clientMessageId', async () => {
    const [ada] = await newClients(1);
    const params = { groupName: 'Once', clientMessageId: 'group-1' };
    const [one, two] = [await ada.client.done('newGroup', params), await ada.client.done('newGroup', params)];
    expect(two.groupId).to.equal(one.groupId);
    expect((await ada.client.done('listLastMessage')).data).to.have.length(1);
  });

  it('refuses a clientMessageId that a message has', async () => {
    const [ada, bob] = await newClients(2);
    const clientMessageId = 'used';
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'Hi', clientMessageId });
    expect(await ada.client.refused('newGroup', { groupName: 'Twice', clientMessageId })).to.equal(
      'CONFLICT',
    );
  });
});

const manyPublicGroups = `
insert into chats (kind, name, name_folded, name_search, is_private, created_by)
select 'group', name, name, name, false, $1::bigint
from generate_series(1, $2::int) n cross join lateral (select 'many ' || $1::bigint || '-' || n as name) named
returning id
`;

describe('public groups', () => {
  it('have a unique name among public groups, ignoring case', async () => {
    const [ada, bob] = await newClients(2);
    const groupName = `Öffentlich ${ada.id}`;
    const { groupId } = await ada.client.done('newGroup', { groupName, isPrivate: false });
    const again = { groupName: groupName.toUpperCase(), isPrivate: false };
    expect(await bob.client.refused('newGroup', again)).to.equal('CONFLICT');
    const { groupId: other } = await bob.client.done('newGroup', { ...again, isPrivate: true });
    expect(await bob.client.refused('updateGroup', { groupId: other, isPrivate: false })).to.equal(
      'CONFLICT',
    );
    await ada.client.done('deleteGroup', { groupId });
    await bob.client.done('updateGroup', { groupId: other, isPrivate: false }); // the name is free
  });

  it('are found by their present name, and their former name is free', async () => {
    const [ada, bob] = await newClients(2);
    const [before, after] = [`Formerly ${ada.id}`, `Présently ${ada.id}`];
    const { groupId } = await ada.client.done('newGroup', { groupName: before, isPrivate: false });
    await ada.client.done('updateGroup', { groupId, groupName: after });
    const found = async (query: string) => (await bob.client.done('listGroups', { query })).data.length;
    expect([await found(before), await found(`presently ${ada.id}`)]).to.deep.equal([0, 1]);
    const taken = { groupName: after.toLowerCase(), isPrivate: false };
    expect(await bob.client.refused('newGroup', taken)).to.equal('CONFLICT');
    const { groupId: other } = await bob.client.done('newGroup', { groupName: before, isPrivate: false });
    expect(await bob.client.refused('updateGroup', { groupId: other, groupName: after })).to.equal(
      'CONFLICT',
    );
    await ada.client.done('updateGroup', { groupId, isPrivate: true });
    expect(await found(after)).to.equal(0);
    await bob.client.done('updateGroup', { groupId: other, groupName: after });
  });

  it('are found among many newer ones, in one page by rare terms, and page by page by frequent terms', async () => {
    const [ada] = await newClients(1);
    const custom = { rare: ada.id };
    const { groupId } = await ada.client.done('newGroup', {
      ...{ groupName: `\u{3402}\u{3403} ${ada.id}`, isPrivate: false, custom },
    });
    for (const [suffix, isPrivate] of [
      ['private', true],
      ['deleted', false],
    ] as const) {
      const groupName = `\u{3402}\u{3403} ${ada.id} ${suffix}`;
      const other = (await ada.client.done('newGroup', { groupName, isPrivate, custom })).groupId;
      if (!isPrivate) await ada.client.done('deleteGroup', { groupId: other });
    }
    const newer = await database.execute<{ id: number }>(manyPublicGroups, [ada.id, 2_100]);
    const find = async (params: object) => ada.client.done('listGroups', params);
    for (const params of [
      { query: `\u{3402}\u{3403} ${ada.id}` },
      { custom },
      { query: `${ada.id}`, custom },
    ]) {
      const { data, nextCursor } = await find(params);
      expect(data.map((row: { groupId: number }) => row.groupId)).to.deep.equal([groupId]);
      expect(nextCursor).to.equal(null);
    }
    const page = await find({ query: '\u{3402}\u{3403}' });
    expect(page.data).to.deep.equal([]);
    expect((await find({ query: '\u{3402}\u{3403}', cursor: page.nextCursor })).data[0]).to.include({
      groupId,
    });
    await database.chats.destroy({ where: { id: newer.map(({ id }) => id) } });
  });

  it('are found by a part of the name and by custom data, newest first, without private ones', async () => {
    const [ada, bob] = await newClients(2);
    const tag = `tag${ada.id}x`;
    const ids: number[] = [];
    for (const n of [1, 2, 3])
      ids.push(
        (
          await ada.client.done('newGroup', {
            groupName: `Café ${tag} ${n}`,
            isPrivate: false,
            custom: { n },
          })
        ).groupId,
      );
    await ada.client.done('newGroup', { groupName: `Café ${tag} hidden` });
    await bob.client.done('joinGroup', { groupId: ids[0] });
    const find = async (params: object) => bob.client.done('listGroups', params);
    const all = await find({ query: `cafe ${tag.toUpperCase()}` });
    expect(all.data.map((row: { groupId: number }) => row.groupId)).to.deep.equal(ids.toReversed());
    expect(all.data[2]).to.include({ memberCount: 2, role: 'member' });
    expect(all.data[1]).to.include({ memberCount: 1, role: null });
    expect((await find({ query: tag, custom: { n: 2 } })).data).to.have.length(1);
    for (const query of ['％', '＿', '＼', '\u0301'])
      expect((await find({ query })).data, query).to.deep.equal([]);
    const first = await find({ query: tag, limit: 2 });
    const second = await find({ query: tag, limit: 2, cursor: first.nextCursor });
    expect([first.data.length, second.data.length, second.nextCursor]).to.deep.equal([2, 1, null]);
  });
});

describe('joinGroup', () => {
  it('adds any user to a public group and pushes to the members, and changes nothing when it is repeated', async () => {
    const [ada, bob] = await newClients(2);
    const { groupId } = await ada.client.done('newGroup', { groupName: `Open ${ada.id}`, isPrivate: false });
    const { seq } = await bob.client.done('joinGroup', { groupId });
    expect(seq).to.equal(2);
    expect((await ada.client.push('joinGroup')).params).to.include({ groupId, userId: bob.id, seq: 2 });
    expect(await bob.client.done('joinGroup', { groupId })).not.to.have.property('seq');
    await ada.client.done('messageInGroup', { groupId, content: 'welcome' });
    expect((await bob.client.push('messageInGroup')).params.message).to.equal('welcome');
  });

  it('refuses private and unknown groups', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client);
    expect(await bob.client.refused('joinGroup', { groupId })).to.equal('FORBIDDEN');
    expect(await bob.client.refused('joinGroup', { groupId: 999_999_999 })).to.equal('NOT_FOUND');
    expect(await bob.client.refused('getGroup', { groupId })).to.equal('NOT_A_MEMBER');
  });
});

describe('updateGroup', () => {
  it('changes the given fields, pushes to the members, and changes nothing when it is repeated', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const change = { groupId, groupName: 'Divers', description: 'Deep', custom: { a: 1 } };
    const { data, seq } = await ada.client.done('updateGroup', change);
    expect(data).to.deep.include({
      groupName: 'Divers',
      description: 'Deep',
      custom: { a: 1 },
      role: 'owner',
    });
    const { params } = await bob.client.push('updateGroup');
    expect(params).to.include({ message: `${ada.username} named the group "Divers"`, seq });
    expect(params.group).to.include({ groupName: 'Divers' });
    expect(await ada.client.done('updateGroup', change)).not.to.have.property('seq');
    const [row] = (await bob.client.done('getlatestMessageGroup', { groupId, limit: 1 })).data;
    expect(row.event).to.deep.include({ type: 'updateGroup' });
  });

  it('keeps omitted fields, and clears the description and the custom data with null', async () => {
    const [ada, bob] = await newClients(2);
    const group = { description: 'Deep', custom: { a: 1 }, slowModeSeconds: 5, whoMayAdd: 'admins' };
    const { groupId } = await ada.client.done('newGroup', {
      groupName: 'Divers',
      userIds: [bob.id],
      ...group,
    });
    const seen = async () => (await bob.client.done('getGroup', { groupId })).data;
    await ada.client.done('updateGroup', { groupId, whoMayPost: 'admins' });
    expect(await seen()).to.deep.include({
      ...group,
      groupName: 'Divers',
      whoMayPost: 'admins',
      isPrivate: true,
    });
    await ada.client.done('updateGroup', { groupId, description: null, custom: null });
    expect(await seen()).to.deep.include({ ...group, groupName: 'Divers', description: null, custom: null });
  });

  it('is allowed to the owner and admins', async () => {
    const [ada, bob, eve] = await newClients(3);
    const groupId = await newGroup(ada.client, bob);
    expect(await bob.client.refused('updateGroup', { groupId, groupName: 'Mine' })).to.equal('FORBIDDEN');
    expect(await eve.client.refused('updateGroup', { groupId, groupName: 'Mine' })).to.equal('NOT_A_MEMBER');
    await ada.client.done('setMemberRole', { groupId, userId: bob.id, role: 'admin' });
    await bob.client.done('updateGroup', { groupId, groupName: 'Ours' });
    expect(await bob.client.refused('updateGroup', { groupId })).to.equal('BAD_REQUEST');
  });

  it('restricts adding members and posting to admins', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('updateGroup', { groupId, whoMayAdd: 'admins', whoMayPost: 'admins' });
    expect(await bob.client.refused('addUserInGroup', { groupId, userId: cleo.id })).to.equal('FORBIDDEN');
    expect(await bob.client.refused('createInvite', { groupId })).to.equal('FORBIDDEN');
    expect(await bob.client.refused('messageInGroup', { groupId, content: 'psst' })).to.equal('FORBIDDEN');
    await ada.client.done('messageInGroup', { groupId, content: 'news' });
    await ada.client.done('setMemberRole', { groupId, userId: bob.id, role: 'admin' });
    await bob.client.done('messageInGroup', { groupId, content: 'more news' });
    await bob.client.done('addUserInGroup', { groupId, userId: cleo.id });
  });

  it('sets slow mode for members, not for admins', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('updateGroup', { groupId, slowModeSeconds: 3 });
    const sent = ['1', '2', '3'].map((content) => bob.client.send('messageInGroup', { groupId, content }));
    const codes = (await Promise.all(sent.map((id) => bob.client.reply(id)))).map(
      ({ code }) => code ?? 'done',
    );
    expect(codes).to.deep.equal(['done', 'RATE_LIMITED', 'RATE_LIMITED']);
    await ada.client.done('updateGroup', { groupId, slowModeSeconds: 30 });
    const { retryAfter } = await bob.client.call('messageInGroup', { groupId, content: 'too early' });
    expect(retryAfter).to.be.within(25, 30);
    await ada.client.done('updateGroup', { groupId, slowModeSeconds: 3 });
    const once = { groupId, content: '4', clientMessageId: 'slow' };
    expect(await bob.client.refused('messageInGroup', once)).to.equal('RATE_LIMITED');
    await until(async () => (await bob.client.call('messageInGroup', once)).code !== 'RATE_LIMITED');
    const { seq } = await bob.client.done('messageInGroup', once);
    expect((await bob.client.done('messageInGroup', once)).seq).to.equal(seq); // a repeat is no second message
    for (const content of ['a', 'b']) await ada.client.done('messageInGroup', { groupId, content });
  });

  it('in slow mode names enough seconds to wait', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('updateGroup', { groupId, slowModeSeconds: 60 });
    await bob.client.done('messageInGroup', { groupId, content: 'first' });
    const since = `update chat_members set last_sent_at = clock_timestamp() - interval '100 milliseconds'
      where chat_id = $1 and user_id = $2 returning last_sent_at as "sentAt"`;
    const [row] = await database.execute<{ sentAt: Date }>(since, [groupId, bob.id]);
    const { retryAfter } = await bob.client.call('messageInGroup', { groupId, content: 'second' });
    const [clock] = await database.query<{ now: Date }>('select clock_timestamp() as now', []);
    const allowedAt = (row?.sentAt.getTime() ?? 0) + 60_000;
    expect((clock?.now.getTime() ?? 0) + retryAfter * 1000).to.be.at.least(allowedAt);
  });

  it('hides earlier messages from new members when the history begins with joining', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client);
    await ada.client.done('updateGroup', { groupId, historyFrom: 'joining' });
    const { messageId } = await ada.client.done('messageInGroup', { groupId, content: 'before' });
    await ada.client.done('addUserInGroup', { groupId, userId: bob.id });
    await ada.client.done('messageInGroup', { groupId, content: 'after', replyTo: messageId });
    const seqs = (rows: { seq: number }[]) => rows.map(({ seq }) => seq);
    expect(seqs((await bob.client.done('getlatestMessageGroup', { groupId })).data)).to.deep.equal([5, 4]);
    expect(seqs((await bob.client.done('getMessages', { groupId, afterSeq: 0 })).data)).to.deep.equal([4, 5]);
    for (const [type, params] of [
      ['getMessage', { messageId }],
      ['getThread', { messageId }],
      ['addReaction', { messageId, emoji: '👍' }],
      ['messageInGroup', { groupId, content: 'to that', replyTo: messageId }],
      ['forwardMessage', { messageId, groupId }],
    ] as const)
      expect(await bob.client.refused(type, params), type).to.equal('NOT_FOUND');
    expect((await bob.client.done('listLastMessage')).data[0].unreadCount).to.equal(1);
    const newest = await bob.client.done('getMessages', { groupId, limit: 1 });
    const older = await bob.client.done('getMessages', { groupId, beforeSeq: 5, limit: 1 });
    expect(
      [newest, older].map(({ more }) => more),
      'the history begins with the joining',
    ).to.deep.equal([true, false]);
  });
});
