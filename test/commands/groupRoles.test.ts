import { expect } from 'chai';
import { database, http, newClients, newGroup } from '../support/harness.ts';

const roles = async (groupId: number) =>
  new Map(
    (await database.members.findAll({ where: { chatId: groupId } })).map(({ userId, role }) => [
      userId,
      role,
    ]),
  );

const storedBan = 'select banned_by as "bannedBy", reason from bans where chat_id = $1 and user_id = $2';

describe('setMemberRole', () => {
  it('is allowed to the owner, pushes, and changes nothing when it is repeated', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob, cleo);
    await ada.client.done('setMemberRole', { groupId, userId: bob.id, role: 'admin' });
    expect((await cleo.client.push('setMemberRole')).params).to.include({
      message: `${ada.username} made ${bob.username} an admin`,
      userId: bob.id,
      role: 'admin',
    });
    expect(
      await ada.client.done('setMemberRole', { groupId, userId: bob.id, role: 'admin' }),
    ).not.to.have.property('seq');
    expect(await bob.client.refused('setMemberRole', { groupId, userId: cleo.id, role: 'admin' })).to.equal(
      'FORBIDDEN',
    );
    expect(await ada.client.refused('setMemberRole', { groupId, userId: ada.id, role: 'member' })).to.equal(
      'FORBIDDEN',
    );
    expect(await ada.client.refused('setMemberRole', { groupId, userId: bob.id, role: 'owner' })).to.equal(
      'BAD_REQUEST',
    );
    expect(
      await ada.client.refused('setMemberRole', { groupId, userId: 999_999_999, role: 'admin' }),
    ).to.equal('NOT_FOUND');
    await ada.client.done('setMemberRole', { groupId, userId: bob.id, role: 'member' });
    expect(await bob.client.refused('updateGroup', { groupId, description: 'x' })).to.equal('FORBIDDEN');
  });
});

describe('transferOwnership', () => {
  it('makes another member the owner, once', async () => {
    const [ada, bob, eve] = await newClients(3);
    const groupId = await newGroup(ada.client, bob);
    for (let times = 0; times < 2; times++)
      await ada.client.done('transferOwnership', { groupId, userId: bob.id });
    expect(await roles(groupId)).to.deep.equal(
      new Map([
        [ada.id, 'admin'],
        [bob.id, 'owner'],
      ]),
    );
    expect(await ada.client.refused('transferOwnership', { groupId, userId: ada.id })).to.equal('FORBIDDEN');
    expect(await bob.client.refused('transferOwnership', { groupId, userId: eve.id })).to.equal('NOT_FOUND');
  });
});

describe('an owner leaving the group', () => {
  it('passes the group to the longest-serving admin, or else to the longest-serving member', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob, cleo);
    await ada.client.done('setMemberRole', { groupId, userId: cleo.id, role: 'admin' });
    await ada.client.done('leaveGroup', { groupId });
    expect((await bob.client.push('leaveGroup')).params).to.include({
      message: `${ada.username} left the group; ${cleo.username} owns it now`,
      userId: ada.id,
      ownerId: cleo.id,
    });
    await cleo.client.done('leaveGroup', { groupId });
    expect(await roles(groupId)).to.deep.equal(new Map([[bob.id, 'owner']]));
  });

  it('passes the group by the time of joining, among several admins and among several members', async () => {
    const [ada, bob, cleo, dan, eve] = await newClients(5);
    const groupId = await newGroup(ada.client, eve, dan, cleo, bob);
    for (const { id } of [bob, cleo])
      await ada.client.done('setMemberRole', { groupId, userId: id, role: 'admin' });
    for (const [owner, next] of [
      [ada, cleo],
      [cleo, bob],
      [bob, eve],
      [eve, dan],
    ] as const) {
      await owner.client.done('leaveGroup', { groupId });
      expect((await roles(groupId)).get(next.id)).to.equal('owner');
      expect([...(await roles(groupId)).values()].filter((role) => role === 'owner')).to.have.length(1);
    }
  });

  it('closes the group as the last member: its public name is free and nobody can join', async () => {
    const [ada, bob] = await newClients(2);
    const group = { groupName: `Last ${ada.id}`, isPrivate: false };
    const { groupId } = await ada.client.done('newGroup', group);
    await ada.client.done('leaveGroup', { groupId });
    expect(await bob.client.refused('joinGroup', { groupId })).to.equal('NOT_FOUND');
    expect(await ada.client.refused('messageInGroup', { groupId, content: 'x' })).to.equal('NOT_FOUND');
    await bob.client.done('newGroup', group);
  });
});

describe('removeUserFromGroup', () => {
  it('takes effect at once on live connections, and stores a system message', async () => {
    const [ada, bob] = await newClients(2);
    const [device] = [await bob.connect()];
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('removeUserFromGroup', { groupId, userId: bob.id });
    for (const client of [bob.client, device])
      expect((await client.push('removeUserFromGroup')).params).to.include({ groupId, userId: bob.id });
    await bob.client.rest();
    await ada.client.done('messageInGroup', { groupId, content: 'alone' });
    expect(await bob.client.rest()).to.deep.equal([]);
    expect(await bob.client.refused('messageInGroup', { groupId, content: 'x' })).to.equal('NOT_A_MEMBER');
    expect(await ada.client.refused('removeUserFromGroup', { groupId, userId: bob.id })).to.equal(
      'NOT_FOUND',
    );
    expect((await ada.client.done('getGroup', { groupId })).data.memberCount).to.equal(1);
    await ada.client.done('addUserInGroup', { groupId, userId: bob.id });
  });

  it('removes members of a lower rank only', async () => {
    const [ada, bob, cleo, dan] = await newClients(4);
    const groupId = await newGroup(ada.client, bob, cleo, dan);
    for (const { id } of [bob, cleo])
      await ada.client.done('setMemberRole', { groupId, userId: id, role: 'admin' });
    const remove = (by: typeof ada, target: typeof ada) =>
      by.client.refused('removeUserFromGroup', { groupId, userId: target.id });
    expect(await remove(dan, bob)).to.equal('FORBIDDEN');
    expect(await remove(bob, cleo)).to.equal('FORBIDDEN');
    expect(await remove(bob, ada)).to.equal('FORBIDDEN');
    expect(await remove(ada, ada)).to.equal('FORBIDDEN');
    await bob.client.done('removeUserFromGroup', { groupId, userId: dan.id });
    await ada.client.done('removeUserFromGroup', { groupId, userId: bob.id });
  });
});

describe('banUser', () => {
  it('keeps a user out: joining, invites and adding are refused until the ban is lifted', async () => {
    const [ada, bob] = await newClients(2);
    const { groupId } = await ada.client.done('newGroup', {
      groupName: `Strict ${ada.id}`,
      isPrivate: false,
      userIds: [bob.id],
    });
    const { code } = (await ada.client.done('createInvite', { groupId })).data;
    await ada.client.done('banUser', { groupId, userId: bob.id, reason: 'spam' });
    expect((await bob.client.push('banUser')).params).to.include({ groupId, userId: bob.id });
    expect(await ada.client.done('banUser', { groupId, userId: bob.id })).not.to.have.property('seq');
    const ban = await database.query(storedBan, [groupId, bob.id]);
    expect(ban).to.deep.equal([{ bannedBy: ada.id, reason: 'spam' }]);
    expect(await bob.client.refused('messageInGroup', { groupId, content: 'x' })).to.equal('NOT_A_MEMBER');
    expect(await bob.client.refused('joinGroup', { groupId })).to.equal('FORBIDDEN');
    expect(await bob.client.refused('joinByInvite', { code })).to.equal('FORBIDDEN');
    expect(await ada.client.refused('addUserInGroup', { groupId, userId: bob.id })).to.equal('FORBIDDEN');
    for (let times = 0; times < 2; times++) await ada.client.done('unbanUser', { groupId, userId: bob.id });
    await bob.client.done('joinGroup', { groupId });
  });

  it('is allowed to admins, not against the owner, admins or oneself, and also before a user has joined', async () => {
    const [ada, bob, eve] = await newClients(3);
    const { groupId } = await ada.client.done('newGroup', {
      groupName: `Ahead ${ada.id}`,
      isPrivate: false,
      userIds: [bob.id],
    });
    expect(await bob.client.refused('banUser', { groupId, userId: eve.id })).to.equal('FORBIDDEN');
    await ada.client.done('setMemberRole', { groupId, userId: bob.id, role: 'admin' });
    for (const { id } of [ada, bob])
      expect(await bob.client.refused('banUser', { groupId, userId: id })).to.equal('FORBIDDEN');
    await bob.client.done('banUser', { groupId, userId: eve.id });
    expect(await eve.client.refused('joinGroup', { groupId })).to.equal('FORBIDDEN');
    expect((await ada.client.done('getGroup', { groupId })).data.memberCount).to.equal(2);
  });
});

describe('banUser of a deleted account', () => {
  it('is refused, and refused again when it is repeated', async () => {
    const [ada, bob] = await newClients(2);
    const ban = { groupId: await newGroup(ada.client, bob), userId: bob.id };
    const body = { password: bob.password };
    expect((await http('DELETE', '/users/me', { token: bob.token, body })).status).to.equal(204);
    for (let times = 0; times < 2; times++)
      expect(await ada.client.refused('banUser', ban)).to.equal('NOT_FOUND');
    expect(await database.query(storedBan, [ban.groupId, bob.id])).to.deep.equal([]);
  });
});

describe('banUser of an account that is deleted afterwards', () => {
  it('is answered the same when it is repeated', async () => {
    const [ada, bob] = await newClients(2);
    const ban = { groupId: await newGroup(ada.client, bob), userId: bob.id };
    await ada.client.done('banUser', ban);
    const body = { password: bob.password };
    expect((await http('DELETE', '/users/me', { token: bob.token, body })).status).to.equal(204);
    expect(await ada.client.done('banUser', ban)).not.to.have.property('seq');
  });
});

describe('listGroupMembers', () => {
  it('lists members with role and presence, page by page, to members', async () => {
    const [ada, bob, eve] = await newClients(3);
    const groupId = await newGroup(ada.client, bob);
    const { data, nextCursor } = await bob.client.done('listGroupMembers', { groupId, limit: 1 });
    expect(data).to.have.length(1);
    expect(data[0]).to.include({ userId: ada.id, username: ada.username, role: 'owner', online: true });
    const second = await bob.client.done('listGroupMembers', { groupId, limit: 1, cursor: nextCursor });
    expect(second.data[0]).to.include({ userId: bob.id, role: 'member' });
    expect(second.nextCursor).to.equal(null);
    for (const [role, ids] of [
      ['owner', [ada.id]],
      ['admin', []],
      ['member', [bob.id]],
    ] as const) {
      const { data: rows } = await bob.client.done('listGroupMembers', { groupId, role });
      expect(
        rows.map(({ userId }: { userId: number }) => userId),
        role,
      ).to.deep.equal(ids);
    }
    expect(await eve.client.refused('listGroupMembers', { groupId })).to.equal('NOT_A_MEMBER');
  });
});

describe('deleteGroup', () => {
  it('closes the group for all members, and is allowed to the owner only', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    expect(await bob.client.refused('deleteGroup', { groupId })).to.equal('FORBIDDEN');
    await ada.client.done('deleteGroup', { groupId });
    expect((await bob.client.push('deleteGroup')).params).to.include({ groupId, senderId: ada.id });
    for (const { client } of [ada, bob]) {
      expect((await client.done('listLastMessage')).data).to.deep.equal([]);
      expect(await client.refused('getlatestMessageGroup', { groupId })).to.equal('NOT_FOUND');
      expect(await client.refused('messageInGroup', { groupId, content: 'x' })).to.equal('NOT_FOUND');
    }
    expect(await bob.client.refused('deleteGroup', { groupId })).to.equal('NOT_FOUND');
  });
});
