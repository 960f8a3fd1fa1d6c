import { expect } from 'chai';
import { database, newClients, newGroup } from '../support/harness.ts';

describe('editMessage', () => {
  it('changes an own message, pushes to the others, and keeps the former content', async () => {
    const [ada, bob] = await newClients(2);
    const { messageId, seq, createdAt } = await ada.client.done('privateMessage', {
      receiverId: bob.id,
      content: 'helo',
    });
    const { editedAt } = await ada.client.done('editMessage', { messageId, content: 'hello' });
    expect((await bob.client.push('editMessage')).params).to.deep.include({
      message: 'hello',
      senderName: ada.username,
      senderId: ada.id,
      receiverId: bob.id,
      messageId,
      seq,
      editedAt,
    });
    await ada.client.done('editMessage', { messageId, content: 'hello!' });
    const { data } = await bob.client.done('listEdits', { messageId });
    expect(data.map((row: { content: string }) => row.content)).to.deep.equal(['helo', 'hello', 'hello!']);
    expect(data[0].createdAt).to.equal(createdAt);
    expect(data[1].createdAt).to.equal(editedAt);
    const [row] = (await bob.client.done('getlatestMessageDialog', { receiverId: ada.id })).data;
    expect(row).to.include({ content: 'hello!', seq, created_at: createdAt });
    expect(row.updated_at).to.equal(row.edited_at).and.not.equal(createdAt);
    const [listed] = (await bob.client.done('listLastMessage')).data;
    expect(listed).to.include({ content: 'hello!', createdAt, updatedAt: row.edited_at, unreadCount: 1 });
  });

  it('changes nothing when it is repeated', async () => {
    const [ada, bob] = await newClients(2);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'one' });
    const first = await ada.client.done('editMessage', {
      messageId,
      content: 'two',
      custom: { longer: 1, a: 2 },
    });
    expect(
      await ada.client.done('editMessage', { messageId, content: 'two', custom: { longer: 1, a: 2 } }),
    ).to.deep.equal(first);
    expect((await bob.client.done('listEdits', { messageId })).data).to.have.length(2);
    expect((await bob.client.rest()).filter(({ type }) => type === 'editMessage')).to.have.length(1);
  });

  it('changes custom data alone, and clears it with null', async () => {
    const [ada, bob] = await newClients(2);
    const message = { receiverId: bob.id, content: 'same', custom: { a: 1 } };
    const { messageId } = await ada.client.done('privateMessage', message);
    for (const custom of [{ a: 2 }, null]) {
      const edited = await ada.client.done('editMessage', { messageId, content: 'same', custom });
      expect(edited.custom).to.deep.equal(custom);
      expect((await bob.client.push('editMessage')).params).to.deep.include({ message: 'same', custom });
      expect((await bob.client.done('getMessage', { messageId })).data.custom).to.deep.equal(custom);
    }
  });

  it('keeps the custom data, the reply, the silence and the reactions when only the content changes', async () => {
    const [ada, bob] = await newClients(2);
    const address = { receiverId: bob.id };
    const { messageId: replyTo } = await bob.client.done('privateMessage', {
      receiverId: ada.id,
      content: 'question',
    });
    const kept = { custom: { a: 1 }, replyTo, silent: true };
    const sent = await ada.client.done('privateMessage', { ...address, content: 'one', ...kept });
    const { messageId } = sent;
    await bob.client.done('addReaction', { messageId, emoji: '👍' });
    await bob.client.done('pinMessage', { messageId });
    expect((await ada.client.done('editMessage', { messageId, content: 'two' })).custom).to.deep.equal({
      a: 1,
    });
    expect((await bob.client.push('editMessage')).params.custom).to.deep.equal({ a: 1 });
    const { data } = await bob.client.done('getMessage', { messageId });
    const reactions = [{ emoji: '👍', count: 1, own: true }];
    expect(data).to.deep.include({ ...kept, content: 'two', pinned: true, reactions });
  });

  it('numbers the versions of concurrent edits', async () => {
    const [ada, bob] = await newClients(2);
    const device = await ada.connect();
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: '0' });
    await Promise.all(
      [ada.client, device].flatMap((client, n) =>
        [1, 2, 3].map((m) => client.done('editMessage', { messageId, content: `${n}${m}` })),
      ),
    );
    const { data } = await ada.client.done('listEdits', { messageId });
    expect(data.map((row: { version: number }) => row.version)).to.deep.equal([1, 2, 3, 4, 5, 6, 7]);
  });

  it('is allowed to the author only, as a member, and not for system or deleted messages', async () => {
    const [ada, bob, eve] = await newClients(3);
    const groupId = await newGroup(ada.client, bob);
    const { messageId } = await bob.client.done('messageInGroup', { groupId, content: 'mine' });
    const edit = (client: typeof ada.client, id = messageId) =>
      client.refused('editMessage', { messageId: id, content: 'x' });
    expect(await edit(ada.client)).to.equal('FORBIDDEN');
    expect(await edit(eve.client)).to.equal('NOT_FOUND');
    const system = await database.messages.findOne({ where: { chatId: groupId, seq: 1 } });
    expect(await edit(ada.client, system?.id)).to.equal('FORBIDDEN');
    await bob.client.done('leaveGroup', { groupId });
    expect(await edit(bob.client)).to.equal('NOT_FOUND');
    await ada.client.done('deleteMessage', { messageId });
    expect(await edit(ada.client)).to.equal('NOT_FOUND');
    expect(await ada.client.refused('listEdits', { messageId })).to.equal('NOT_FOUND');
  });
});

describe('deleteMessage', () => {
  it('leaves an empty message, pushes to the others, and deletes everything that belongs to the message', async () => {
    const [ada, bob] = await newClients(2);
    const { messageId, seq } = await ada.client.done('privateMessage', {
      receiverId: bob.id,
      content: 'secret',
      custom: { a: 1 },
    });
    await ada.client.done('editMessage', { messageId, content: 'secret 2' });
    await bob.client.done('addReaction', { messageId, emoji: '👍' });
    await bob.client.done('pinMessage', { messageId });
    const { deletedAt } = await ada.client.done('deleteMessage', { messageId });
    expect((await bob.client.push('deleteMessage')).params).to.include({
      messageId,
      seq,
      deletedAt,
      senderId: ada.id,
    });
    expect(await ada.client.done('deleteMessage', { messageId })).to.include({ deletedAt }); // a repeat
    const { data } = await bob.client.done('getMessage', { messageId });
    expect(data).to.deep.include({ seq, content: '', deletedAt, custom: null, reactions: [], pinned: false });
    const chatId = (await database.messages.findOne({ where: { id: messageId } }))?.chatId;
    expect(await database.edits.count({ where: { messageId } })).to.equal(0);
    expect(await database.reactions.count({ where: { chatId, seq } })).to.equal(0);
    expect(await database.pins.count({ where: { chatId, seq } })).to.equal(0);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'next' });
    expect((await bob.client.done('getlatestMessageDialog', { receiverId: ada.id })).data).to.have.length(2);
  });

  it('leaves the replies, the place in the list of chats and the positions as they are', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const to = { receiverId: bob.id };
    const original = await ada.client.done('privateMessage', { ...to, content: 'question' });
    const { messageId: replyTo } = original;
    await ada.client.done('privateMessage', { ...to, content: 'answer', replyTo });
    const newest = await ada.client.done('privateMessage', { ...to, content: `last @${bob.username}` });
    await cleo.client.done('privateMessage', { ...to, content: 'newer' });
    for (const { messageId } of [original, newest]) await ada.client.done('deleteMessage', { messageId });
    const thread = await bob.client.done('getThread', { messageId: replyTo });
    expect(thread.data.map((row: { content: string }) => row.content)).to.deep.equal(['answer']);
    const [first, second] = (await bob.client.done('listLastMessage')).data;
    expect(first).to.include({ senderId: cleo.id, unreadCount: 1 });
    const counts = { unreadCount: 1, mentionCount: 0, readSeq: 0 };
    expect(second).to.include({ id: newest.messageId, seq: 3, content: '', ...counts });
    expect(second.deletedAt).to.be.a('string');
    const { data } = await bob.client.done('getMessage', { messageId: newest.messageId });
    expect(data).to.deep.include({ content: '', mentions: [] });
  });

  it('is allowed to the author, in groups to the owner and admins as well', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob, cleo);
    const { messageId } = await bob.client.done('messageInGroup', { groupId, content: 'x' });
    expect(await cleo.client.refused('deleteMessage', { messageId })).to.equal('FORBIDDEN');
    await ada.client.done('setMemberRole', { groupId, userId: cleo.id, role: 'admin' });
    await cleo.client.done('deleteMessage', { messageId });
    const dialog = await bob.client.done('privateMessage', { receiverId: ada.id, content: 'x' });
    expect(await ada.client.refused('deleteMessage', { messageId: dialog.messageId })).to.equal('FORBIDDEN');
    const system = await database.messages.findOne({ where: { chatId: groupId, seq: 1 } });
    expect(await ada.client.refused('deleteMessage', { messageId: system?.id })).to.equal('FORBIDDEN');
  });

  it('keeps the clientMessageId of the message in use', async () => {
    const [ada, bob] = await newClients(2);
    const params = { receiverId: bob.id, content: 'once', clientMessageId: 'once' };
    const { messageId } = await ada.client.done('privateMessage', params);
    await ada.client.done('deleteMessage', { messageId });
    expect((await ada.client.done('privateMessage', params)).messageId).to.equal(messageId);
  });
});
