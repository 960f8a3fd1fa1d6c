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
