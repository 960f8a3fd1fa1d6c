import { expect } from 'chai';
import { database, newGroup, newUsers } from '../support/harness.ts';

describe('messageInGroup', () => {
  it('answers with the position of the message, and pushes it to the other members', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(), await bob.connect()];
    const groupId = await newGroup(a, bob);

    const reply = await a.call('messageInGroup', { groupId, content: 'Hello' });

    expect(reply).to.deep.include({ type: 'messageInGroup', success: true });
    const { messageId, seq, createdAt, ...fixed } = reply.params;
    expect(fixed).to.deep.equal({ data: null, message: null, senderName: null });
    expect(seq).to.equal(3); // after the creation and the adding
    expect(createdAt).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(await b.push('messageInGroup')).to.deep.equal({
      type: 'messageInGroup',
      success: true,
      params: {
        data: null,
        message: 'Hello',
        senderName: ada.username,
        messageId,
        seq,
        createdAt,
        senderId: ada.id,
        groupId,
      },
    });
  });

  it('has stored the message when it answers', async () => {
    const [ada] = await newUsers(1);
    const a = await ada.connect();
    const groupId = await newGroup(a);
    const { messageId, seq } = (await a.call('messageInGroup', { groupId, content: 'kept' })).params;
    const stored = await database.messages.findOne({ where: { id: messageId } });
    expect(stored).to.include({ chatId: groupId, seq, senderId: ada.id, content: 'kept', kind: 'text' });
  });

  it('reaches every connection of every member except the sending one', async () => {
    const [ada, bob, eve] = await newUsers(3);
    const [a1, a2, b1, b2, outsider] = await Promise.all(
      [ada, ada, bob, bob, eve].map((user) => user.connect()),
    );
    if (!a1 || !a2 || !b1 || !b2 || !outsider) throw new Error('not connected');
    const groupId = await newGroup(a1, bob);

    await a1.call('messageInGroup', { groupId, content: 'to all' });

    for (const client of [a2, b1, b2])
      expect((await client.push('messageInGroup')).params.message).to.equal('to all');
    for (const client of [a1, outsider]) expect(await client.rest()).to.deep.equal([]);
  });

  it('reaches members who connect later', async () => {
    const [ada, bob] = await newUsers(2);
    const a = await ada.connect();
    const groupId = await newGroup(a, bob);
    const b = await bob.connect();
    await a.call('messageInGroup', { groupId, content: 'welcome' });
    expect((await b.push('messageInGroup')).params.message).to.equal('welcome');
  });

  it('refuses users outside the group and users who have left it', async () => {
    const [ada, bob, eve] = await newUsers(3);
    const [a, b, e] = [await ada.connect(), await bob.connect(), await eve.connect()];
    const groupId = await newGroup(a, bob);
    await b.call('leaveGroup', { groupId });
    await a.push('leaveGroup');

    for (const client of [b, e]) {
      const { id, ...error } = await client.call('messageInGroup', { groupId, content: 'let me in' });
      expect(error).to.deep.equal({
        error: true,
        type: 'messageInGroup',
        code: 'NOT_A_MEMBER',
        message: 'User is not a member of this group',
      });
    }
    expect(await a.rest()).to.deep.equal([]);
  });

  it('refuses an unknown group, and the chat id of a dialog', async () => {
    const [ada, bob] = await newUsers(2);
    const a = await ada.connect();
    const missing = await a.call('messageInGroup', { groupId: 999_999_999, content: 'hello?' });
    expect(missing).to.include({ error: true, code: 'NOT_FOUND' });

    await a.call('privateMessage', { receiverId: bob.id, content: 'hi' });
    const dialog = await database.chats.findOne({
      where: { kind: 'dialog', createdBy: Math.min(ada.id, bob.id) },
    });
    const disguised = await a.call('messageInGroup', { groupId: dialog?.id, content: 'as a group' });
    expect(disguised).to.include({ error: true, code: 'NOT_FOUND' });
  });

  it('pushes nothing more to a connected user who has left', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(), await bob.connect()];
    const groupId = await newGroup(a, bob);
    await b.push('addUserInGroup');
    await b.call('leaveGroup', { groupId });
    await a.call('messageInGroup', { groupId, content: 'now that we are alone' });
    expect(await b.rest()).to.deep.equal([]);
  });
});
