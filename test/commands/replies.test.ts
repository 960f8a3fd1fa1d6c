import { expect } from 'chai';
import { http, newClients, newGroup } from '../support/harness.ts';

describe('a message with replyTo', () => {
  it('is pushed and stored with it, and found in the thread', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const { messageId } = await ada.client.done('messageInGroup', { groupId, content: 'question' });
    const answers: number[] = [];
    for (const content of ['one', 'two', 'three'])
      answers.push(
        (await bob.client.done('messageInGroup', { groupId, content, replyTo: messageId })).messageId,
      );
    expect((await ada.client.push('messageInGroup')).params.replyTo).to.equal(messageId);
    const first = await ada.client.done('getThread', { messageId, limit: 2 });
    const second = await ada.client.done('getThread', { messageId, limit: 2, cursor: first.nextCursor });
    const ids = [...first.data, ...second.data].map((row: { messageId: number }) => row.messageId);
    expect(ids).to.deep.equal(answers);
    expect((await ada.client.done('getlatestMessageGroup', { groupId, limit: 1 })).data[0].reply_to).to.equal(
      messageId,
    );
  });

  it('is refused for a message of another chat, a deleted one and an unknown one', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client);
    const elsewhere = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'here' });
    const { messageId: deleted } = await ada.client.done('messageInGroup', { groupId, content: 'gone' });
    await ada.client.done('deleteMessage', { messageId: deleted });
    for (const replyTo of [elsewhere.messageId, deleted, 999_999_999])
      expect(await ada.client.refused('messageInGroup', { groupId, content: 'x', replyTo })).to.equal(
        'NOT_FOUND',
      );
    expect(await ada.client.refused('messageInGroup', { groupId, content: 'x', replyTo: 'x' })).to.equal(
      'BAD_REQUEST',
    );
  });
});

describe('mentions', () => {
  it('are members named with @, ignoring case, each once and never the author', async () => {
    const [ada, bob, cleo, eve] = await newClients(4);
    const groupId = await newGroup(ada.client, bob, cleo);
    const content = `@${bob.username.toUpperCase()}, @${cleo.username}. and @${bob.username} (not x@${eve.username}) @${eve.username} @${ada.username} @nobody-at-all`;
    await ada.client.done('messageInGroup', { groupId, content });
    const ids = [bob.id, cleo.id].toSorted((a, b) => a - b);
    expect((await bob.client.push('messageInGroup')).params.mentions).to.deep.equal(ids);
    expect(
      (await cleo.client.done('getlatestMessageGroup', { groupId, limit: 1 })).data[0].mentions,
    ).to.deep.equal(ids);
    expect((await bob.client.done('listLastMessage')).data[0].mentionCount).to.equal(1);
    await ada.client.done('messageInGroup', { groupId, content: 'nobody @ all' });
    expect((await bob.client.push('messageInGroup')).params).not.to.have.property('mentions');
  });

  it('name a member in any spelling of the accents, and nobody in an email address, in messages and edits', async () => {
    const [ada, bob] = await newClients(2);
    const username = `Andre\u0301-${bob.id}`;
    const { status } = await http('PATCH', '/users/me', { token: bob.token, body: { username } });
    expect(status).to.equal(200);
    const groupId = await newGroup(ada.client, bob);
    const contents = [username, username.normalize('NFC'), username.toUpperCase()].map(
      (name) => `Hi @${name}!`,
    );
    for (const content of contents)
      expect((await ada.client.done('messageInGroup', { groupId, content })).mentions, content).to.deep.equal(
        [bob.id],
      );
    const address = { groupId, content: `ada@${username}` };
    const { messageId, ...reply } = await ada.client.done('messageInGroup', address);
    expect(reply).not.to.have.property('mentions');
    const edited = (content: string) => ada.client.done('editMessage', { messageId, content });
    expect((await edited(contents[1] as string)).mentions).to.deep.equal([bob.id]);
    expect((await edited(`write to ${address.content}`)).mentions).to.deep.equal([]);
    expect((await bob.client.done('getChat', { groupId })).data.mentionCount).to.equal(3);
  });

  it('never name the author, nor users outside the chat, by an edit either', async () => {
    const [ada, bob, eve] = await newClients(3);
    await newGroup(ada.client, eve);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'x' });
    const content = [ada, bob, eve].map(({ username }) => `@${username}`).join(' ');
    expect((await ada.client.done('editMessage', { messageId, content })).mentions).to.deep.equal([bob.id]);
    expect((await ada.client.done('privateMessage', { receiverId: bob.id, content })).mentions).to.deep.equal(
      [bob.id],
    );
  });

  it('name the member whose name is the longest that fits, in messages and edits', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const username = `${bob.username}-`;
    expect((await http('PATCH', '/users/me', { token: cleo.token, body: { username } })).status).to.equal(
      200,
    );
    const groupId = await newGroup(ada.client, bob, cleo);
    const message = { groupId, content: `Hi @${username}` };
    const { messageId, mentions } = await ada.client.done('messageInGroup', message);
    expect(mentions).to.deep.equal([cleo.id]);
    const edit = (content: string) => ada.client.done('editMessage', { messageId, content });
    expect((await edit(`Hello @${username}`)).mentions).to.deep.equal([cleo.id]);
    expect((await edit(`Hello @${bob.username}`)).mentions).to.deep.equal([bob.id]);
  });

  it('count until they are read', async () => {
    const [ada, bob] = await newClients(2);
    const content = `@${bob.username}`;
    const elsewhere = { groupId: await newGroup(ada.client, bob), content };
    for (let n = 0; n < 3; n++) await ada.client.done('messageInGroup', elsewhere);
    for (let n = 0; n < 3; n++) await ada.client.done('privateMessage', { receiverId: bob.id, content });
    const { data } = await bob.client.done('markRead', { receiverId: ada.id, seq: 2 });
    expect(data).to.include({ mentionCount: 1, unreadCount: 1 });
    const [listed, other] = (await bob.client.done('listLastMessage')).data;
    expect(listed).to.include({ mentionCount: 1, unreadCount: 1 });
    expect(other).to.include({ mentionCount: 3, unreadCount: 3 });
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'read by answering' });
    expect((await bob.client.done('getChat', { receiverId: ada.id })).data.mentionCount).to.equal(0);
  });

  it('are updated by an edit', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob, cleo);
    const { messageId } = await ada.client.done('messageInGroup', { groupId, content: `@${bob.username}` });
    await ada.client.done('editMessage', { messageId, content: `@${bob.username} again` });
    expect((await bob.client.done('listLastMessage')).data[0].mentionCount, 'named again').to.equal(1);
    await ada.client.done('editMessage', { messageId, content: `@${cleo.username}` });
    await cleo.client.push('editMessage');
    expect((await cleo.client.push('editMessage')).params.mentions).to.deep.equal([cleo.id]);
    expect((await bob.client.done('listLastMessage')).data[0].mentionCount).to.equal(0);
    expect((await cleo.client.done('listLastMessage')).data[0].mentionCount).to.equal(1);
    await ada.client.done('deleteMessage', { messageId });
    expect((await cleo.client.done('listLastMessage')).data[0].mentionCount).to.equal(0);
  });
});

describe('a message with custom data', () => {
  it('is pushed and read unchanged', async () => {
    const [ada, bob] = await newClients(2);
    const custom = { order: { id: 7, tags: ['a', null, 1.5, true] }, é: '👍', empty: {} };
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'order', custom });
    expect((await bob.client.push('privateMessage')).params.custom).to.deep.equal(custom);
    expect(
      (await bob.client.done('getlatestMessageDialog', { receiverId: ada.id })).data[0].custom,
    ).to.deep.equal(custom);
    const tooLarge = { receiverId: bob.id, content: 'x', custom: { a: 'x'.repeat(4090) } };
    expect(await ada.client.refused('privateMessage', tooLarge)).to.equal('BAD_REQUEST');
  });
});
