import { expect } from 'chai';
import type { Frame } from '../support/client.ts';
import { newClients } from '../support/harness.ts';

describe('the push of a system message', () => {
  it('has the same event, sentence and acting user as the history', async () => {
    const [ada, bob, cleo, dan] = await newClients(4);
    const { groupId } = await ada.client.done('newGroup', {
      groupName: `Public ${process.pid}`,
      isPrivate: false,
      userIds: [bob.id],
    });
    const { client } = bob;
    const of = { groupId, userId: cleo.id };
    await ada.client.done('addUserInGroup', of);
    await ada.client.done('setMemberRole', { ...of, role: 'admin' });
    await ada.client.done('updateGroup', { groupId, custom: { type: 'x', seq: 1 }, description: 'new' });
    await ada.client.done('removeUserFromGroup', of);
    await ada.client.done('banUser', { ...of, reason: 'spam' });
    await ada.client.done('unbanUser', of);
    await cleo.client.done('joinGroup', { groupId });
    await cleo.client.done('leaveGroup', { groupId });
    const { data: invite } = await ada.client.done('createInvite', { groupId });
    await dan.client.done('joinByInvite', { code: invite.code });
    await ada.client.done('transferOwnership', { groupId, userId: dan.id });
    await ada.client.done('leaveGroup', { groupId });

    const pushes = (await client.rest()).filter(({ params }) => params.groupId === groupId);
    const { data } = await client.done('getMessages', { groupId });
    expect(data).to.have.length(12);
    expect(
      pushes.map(({ params: { seq, event, message, senderId, senderName } }) => ({
        ...{ seq, event, content: message, senderId, senderName },
      })),
    ).to.deep.equal(
      data.map(({ seq, event, content, senderId, senderName }: Frame) => ({
        ...{ seq, event, content, senderId, senderName },
      })),
    );
    expect(pushes.map(({ type }) => type)).to.deep.equal(data.map(({ event }: Frame) => event.type));
  });
});
