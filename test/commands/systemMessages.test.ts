import { expect } from 'chai';
import type { Frame } from '../support/client.ts';
import { newClients, newGroup } from '../support/harness.ts';

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

describe('a system message', () => {
  it('moves no position and removes no mark, neither of its author nor of other members, and counts as nothing', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await bob.client.done('messageInGroup', { groupId, content: 'hi' });
    for (const { client } of [ada, bob]) await client.done('markUnread', { groupId });
    const states = () =>
      Promise.all(
        [ada, bob].map(async ({ client }) => {
          const { readSeq, deliveredSeq, unreadCount, mentionCount, markedUnread } = (
            await client.done('getChat', { groupId })
          ).data;
          return { readSeq, deliveredSeq, unreadCount, mentionCount, markedUnread };
        }),
      );
    const before = await states();
    await ada.client.done('updateGroup', { groupId, groupName: `For @${bob.username}` });
    expect(await states()).to.deep.equal(before);
    const { params } = await bob.client.push('updateGroup');
    expect(params.message).to.equal(`${ada.username} named the group "For @${bob.username}"`);
    expect(
      (await bob.client.done('getMessage', { messageId: params.messageId })).data.mentions,
    ).to.deep.equal([]);
  });

  it('cannot be forwarded', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const [{ messageId }] = (await ada.client.done('getMessages', { groupId, limit: 1 })).data;
    const forward = { messageId, receiverId: bob.id };
    expect(await ada.client.refused('forwardMessage', forward)).to.equal('FORBIDDEN');
    expect((await bob.client.rest()).filter(({ type }) => type === 'privateMessage')).to.deep.equal([]);
  });

  it('of a new group names the users it begins with, and counts them when they are many', async () => {
    const [ada, ...others] = await newClients(6);
    const userIds = others.map(({ id }) => id);
    const sentence = async (count: number) => {
      await ada.client.done('newGroup', { groupName: 'Climbers', userIds: userIds.slice(0, count) });
      return (await others[0].client.push('newGroup')).params.message;
    };
    const start = `${ada.username} created the group "Climbers" with`;
    const [one, two, three, four] = others.map(({ username }) => username);
    expect(await sentence(4)).to.equal(`${start} ${one}, ${two}, ${three}, and ${four}`);
    expect(await sentence(5)).to.equal(`${start} ${one}, ${two}, ${three}, and 2 others`);
  });
});
