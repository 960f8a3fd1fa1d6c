import { expect } from 'chai';
import { database, newGroup, newUsers } from '../support/harness.ts';

describe('leaveGroup', () => {
  it('pushes to the remaining members and to the other connections of the user', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b1, b2] = [await ada.connect(), await bob.connect(), await bob.connect()];
    const groupId = await newGroup(a, bob);

    const reply = await b1.call('leaveGroup', { groupId });

    expect(reply.params).to.include({ data: null, message: null, senderName: null, seq: 3 });
    for (const client of [a, b2])
      expect((await client.push('leaveGroup')).params).to.include({
        message: `${bob.username} left the group`,
        senderName: bob.username,
        groupId,
        userId: bob.id,
        seq: 3,
      });
    const [newest] = (await a.call('getlatestMessageGroup', { groupId })).params.data;
    expect(newest).to.include({ kind: 'system', content: `${bob.username} left the group` });
  });

  it('ends the access of the user to the history, the list and the pushes of the group', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b1, b2] = [await ada.connect(), await bob.connect(), await bob.connect()];
    const groupId = await newGroup(a, bob);
    await b1.call('leaveGroup', { groupId });
    await b2.push('leaveGroup');

    expect(await b1.call('getlatestMessageGroup', { groupId })).to.include({ code: 'NOT_A_MEMBER' });
    expect((await b1.call('listLastMessage')).params.data).to.deep.equal([]);
    await b2.rest();
    await a.call('messageInGroup', { groupId, content: 'gone' });
    expect(await b2.rest()).to.deep.equal([]);
  });

  it('refuses a repeat, users outside the group, and unknown groups', async () => {
    const [ada, bob, eve] = await newUsers(3);
    const [a, b, e] = [await ada.connect(), await bob.connect(), await eve.connect()];
    const groupId = await newGroup(a, bob);
    await b.call('leaveGroup', { groupId });
    for (const client of [b, e])
      expect(await client.call('leaveGroup', { groupId })).to.include({
        code: 'NOT_A_MEMBER',
        message: 'User is not a member of this group',
      });
    expect(await a.call('leaveGroup', { groupId: 999_999_999 })).to.include({ code: 'NOT_FOUND' });
    expect(await database.messages.count({ where: { chatId: groupId } })).to.equal(3);
  });

  it('allows the user to be added again, with the history', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(), await bob.connect()];
    const groupId = await newGroup(a, bob);
    await b.call('leaveGroup', { groupId });
    await a.call('messageInGroup', { groupId, content: 'come back' });
    await a.call('addUserInGroup', { groupId, userId: bob.id });
    const { data } = (await b.call('getlatestMessageGroup', { groupId })).params;
    expect(data.map((row: { seq: number }) => row.seq)).to.deep.equal([5, 4, 3, 2, 1]);
  });
});
