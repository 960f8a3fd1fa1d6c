import { expect } from 'chai';
import { database, http, newGroup, newUser, newUsers, startServer } from '../support/harness.ts';

describe('addUserInGroup', () => {
  it('pushes to all members and to the added user, and stores a system message', async () => {
    const [ada, bob, cleo] = await newUsers(3);
    const [a, b, c] = [await ada.connect(), await bob.connect(), await cleo.connect()];
    const groupId = await newGroup(a, bob);
    await b.push('addUserInGroup');

    const reply = await b.call('addUserInGroup', { groupId, userId: cleo.id });

    expect(reply.params).to.include({ data: null, message: null, senderName: null, seq: 3 });
    for (const client of [a, c]) {
      const { params } = await client.next(({ params }) => params?.userId === cleo.id);
      expect(params).to.include({
        message: `${bob.username} added ${cleo.username}`,
        senderName: bob.username,
        groupId,
        seq: 3,
      });
    }
    const [newest] = (await c.call('getlatestMessageGroup', { groupId })).params.data;
    expect(newest).to.include({ seq: 3, kind: 'system', content: `${bob.username} added ${cleo.username}` });
  });

  it('allows the added user to write and read at once', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(), await bob.connect()];
    const groupId = await newGroup(a);
    await a.call('messageInGroup', { groupId, content: 'before' });
    await a.call('addUserInGroup', { groupId, userId: bob.id });
    expect((await b.call('messageInGroup', { groupId, content: 'after' })).params.seq).to.equal(4);
    expect((await a.push('messageInGroup')).params.message).to.equal('after');
    expect((await b.call('getlatestMessageGroup', { groupId })).params.data).to.have.length(4);
  });

  it('starts over for a user who had left: nothing is unread, and no setting is kept', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(), await bob.connect()];
    const groupId = await newGroup(a, bob);
    const mention = { groupId, content: `Hi @${bob.username}` };
    await a.done('messageInGroup', mention);
    for (const [type, params] of [
      ['muteChat', { muted: true }],
      ['archiveChat', { archived: true }],
      ['pinChat', { pinned: true }],
      ['markUnread', {}],
    ] as const)
      await b.done(type, { groupId, ...params });
    await a.done('setMemberRole', { groupId, userId: bob.id, role: 'admin' });
    await b.done('leaveGroup', { groupId });
    await a.done('messageInGroup', mention);
    const { seq } = await a.done('addUserInGroup', { groupId, userId: bob.id });
    expect((await b.done('getChat', { groupId })).data).to.include({
      ...{ seq, readSeq: seq - 1, deliveredSeq: seq - 1, unreadCount: 0, mentionCount: 0 },
      ...{ muted: false, archived: false, pinned: false, markedUnread: false },
    });
    expect((await b.done('getGroup', { groupId })).data).to.include({ role: 'member', memberCount: 2 });
    await a.done('messageInGroup', mention);
    expect((await b.done('getChat', { groupId })).data).to.include({ unreadCount: 1, mentionCount: 1 });
  });

  it('adds a user once when two members add the user at the same time', async () => {
    const [ada, bob, cleo] = await newUsers(3);
    const [a, b] = [await ada.connect(), await bob.connect()];
    const groupId = await newGroup(a, bob);
    const answers = await Promise.all(
      [a, b].map((client) => client.call('addUserInGroup', { groupId, userId: cleo.id })),
    );
    expect(answers.map(({ code }) => code ?? 'done').sort()).to.deep.equal(['ALREADY_A_MEMBER', 'done']);
    expect(await database.members.count({ where: { chatId: groupId } })).to.equal(3);
  });

  it('adds a user once when two nodes add the user at the same time', async () => {
    const other = await startServer();
    const ada = await newUser();
    const [here, there] = [await ada.connect(), await ada.connect(other.url)];
    const groupId = await newGroup(here);
    for (const { id } of await newUsers(10)) {
      const calls = [here, there].map((client) => client.call('addUserInGroup', { groupId, userId: id }));
      const codes = (await Promise.all(calls)).map(({ code }) => code ?? 'done');
      expect(codes.sort()).to.deep.equal(['ALREADY_A_MEMBER', 'done']);
    }
    await other.close();
  });

  it('refuses callers outside the group, users who are members already, and unknown groups and users', async () => {
    const [ada, bob, eve, deleted] = await newUsers(4);
    const [a, e] = [await ada.connect(), await eve.connect()];
    const groupId = await newGroup(a, bob);
    await http('DELETE', '/users/me', { token: deleted.token, body: { password: deleted.password } });

    const code = async (client: typeof a, params: object) =>
      (await client.call('addUserInGroup', params)).code;
    expect(await code(e, { groupId, userId: eve.id })).to.equal('NOT_A_MEMBER');
    expect(await code(a, { groupId, userId: bob.id })).to.equal('ALREADY_A_MEMBER');
    expect(await code(a, { groupId, userId: ada.id })).to.equal('ALREADY_A_MEMBER');
    expect(await code(a, { groupId, userId: 999_999_999 })).to.equal('NOT_FOUND');
    expect(await code(a, { groupId, userId: deleted.id })).to.equal('NOT_FOUND');
    expect(await code(a, { groupId: 999_999_999, userId: eve.id })).to.equal('NOT_FOUND');
    expect(await code(a, { groupId, userId: '7' })).to.equal('BAD_REQUEST');
    expect(await database.members.count({ where: { chatId: groupId } })).to.equal(2);
  });
});
