import { expect } from 'chai';
import { newClients, newGroup } from '../support/harness.ts';

describe('forwardMessage', () => {
  it('writes the message in another chat and names its first author, however often it is forwarded', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const { messageId } = await ada.client.done('privateMessage', {
      receiverId: bob.id,
      content: 'news',
      custom: { a: 1 },
    });
    const groupId = await newGroup(bob.client, cleo);
    const forwarded = await bob.client.done('forwardMessage', { messageId, groupId });
    expect(forwarded).to.deep.include({
      ...{ seq: 3, content: 'news', custom: { a: 1 } },
      ...{ forwardedFrom: ada.id, forwardedFromName: ada.username },
    });
    const { params } = await cleo.client.push('messageInGroup');
    expect(params).to.deep.include({
      message: 'news',
      senderId: bob.id,
      forwardedFrom: ada.id,
      forwardedFromName: ada.username,
      custom: { a: 1 },
    });
    const again = await cleo.client.done('forwardMessage', {
      messageId: params.messageId,
      receiverId: ada.id,
    });
    expect((await ada.client.push('privateMessage')).params).to.include({
      message: 'news',
      forwardedFrom: ada.id,
      forwardedFromName: ada.username,
    });
    expect((await ada.client.done('getMessage', { messageId: again.messageId })).data).to.include({
      senderId: cleo.id,
      forwardedFrom: ada.id,
      forwardedFromName: ada.username,
    });
  });

  it('copies neither the reply nor the silence of the original, and mentions members of the other chat', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob);
    const first = await ada.client.done('messageInGroup', { groupId, content: 'question' });
    const { messageId } = await bob.client.done('messageInGroup', {
      ...{ groupId, content: `@${cleo.username} @${ada.username}` },
      ...{ replyTo: first.messageId, silent: true },
    });
    for (const [n, silent] of [undefined, true, false].entries()) {
      const copy = await ada.client.done('forwardMessage', { messageId, receiverId: cleo.id, silent });
      expect(copy.mentions).to.deep.equal([cleo.id]);
      const { data } = await cleo.client.done('getMessage', { messageId: copy.messageId });
      expect(data).to.deep.include({ replyTo: null, silent: silent ?? false, mentions: [cleo.id] });
      const { unreadCount, mentionCount } = (await cleo.client.done('getChat', { receiverId: ada.id })).data;
      expect([unreadCount, mentionCount]).to.deep.equal([n < 2 ? 1 : 2, n + 1]);
    }
    const quiet = { messageId: first.messageId, receiverId: cleo.id, silent: true };
    await ada.client.done('forwardMessage', quiet);
    expect((await cleo.client.done('getChat', { receiverId: ada.id })).data.unreadCount).to.equal(2);
  });

  it('is stored once with a clientMessageId', async () => {
    const [ada, bob] = await newClients(2);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'x' });
    const params = { messageId, receiverId: bob.id, clientMessageId: 'forward' };
    const [one, two] = [
      await ada.client.done('forwardMessage', params),
      await ada.client.done('forwardMessage', params),
    ];
    expect(two).to.deep.equal(one);

    await ada.client.done('editMessage', { messageId: one.messageId, content: `@${bob.username}` });
    const { mentions, content, ...rest } = await ada.client.done('forwardMessage', params);
    expect({ mentions, content }).to.deep.equal({ mentions: [bob.id], content: `@${bob.username}` });
    expect({ ...rest, content: 'x' }).to.deep.equal(one);
  });

  it('returns the stored message for a used clientMessageId, also after the user has left the group', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(bob.client, ada);
    const message = { groupId, content: 'first', clientMessageId: 'first' };
    const { messageId } = await ada.client.done('messageInGroup', message);
    await ada.client.done('leaveGroup', { groupId });
    const params = { messageId, groupId, clientMessageId: 'first' };
    expect(await ada.client.done('forwardMessage', params)).to.include({
      ...{ messageId, content: 'first', forwardedFrom: null, forwardedFromName: null },
    });
  });

  it('refuses messages that the user cannot see and chats that the user cannot write to', async () => {
    const [ada, bob, eve] = await newClients(3);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'x' });
    const groupId = await newGroup(eve.client);
    expect(await eve.client.refused('forwardMessage', { messageId, groupId })).to.equal('NOT_FOUND');
    expect(await ada.client.refused('forwardMessage', { messageId, groupId })).to.equal('NOT_A_MEMBER');
    expect(await ada.client.refused('forwardMessage', { messageId })).to.equal('BAD_REQUEST');
    await ada.client.done('deleteMessage', { messageId });
    expect(await ada.client.refused('forwardMessage', { messageId, receiverId: bob.id })).to.equal(
      'NOT_FOUND',
    );
  });
});
