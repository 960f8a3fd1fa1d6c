import { expect } from 'chai';
import { database, newClients, newGroup } from '../support/harness.ts';

describe('pinMessage', () => {
  it('pins for all members, is allowed to both users of a dialog, and changes nothing when it is repeated', async () => {
    const [ada, bob] = await newClients(2);
    const sent = [];
    for (const content of ['one', 'two', 'three'])
      sent.push(await ada.client.done('privateMessage', { receiverId: bob.id, content }));
    for (const { messageId } of [...sent, ...sent]) await bob.client.done('pinMessage', { messageId });
    const pushes = (await ada.client.rest()).filter(({ type }) => type === 'pinMessage');
    expect(pushes.map(({ params }) => params.messageId)).to.deep.equal(
      sent.map(({ messageId }) => messageId),
    );
    const first = await ada.client.done('listPins', { receiverId: bob.id, limit: 2 });
    expect(first.data.map((row: { content: string }) => row.content)).to.deep.equal(['three', 'two']);
    expect(first.data[0]).to.include({ pinnedBy: bob.id, pinned: true });
    const rest = await ada.client.done('listPins', {
      receiverId: bob.id,
      limit: 2,
      cursor: first.nextCursor,
    });
    expect([rest.data.length, rest.nextCursor]).to.deep.equal([1, null]);
    for (let times = 0; times < 2; times++)
      await ada.client.done('unpinMessage', { messageId: sent[0].messageId });
    expect((await bob.client.push('unpinMessage')).params).to.include({
      messageId: sent[0].messageId,
      senderId: ada.id,
    });
    expect((await ada.client.done('listPins', { receiverId: bob.id })).data).to.have.length(2);
  });

  it('accepts a hundred pins in a chat, and another one once one is unpinned', async () => {
    const [ada, bob] = await newClients(2);
    const content = 'x';
    const sends = Array.from({ length: 101 }, () =>
      ada.client.done('privateMessage', { receiverId: bob.id, content }),
    );
    const ids = (await Promise.all(sends)).map(({ messageId }) => messageId);
    const pins = `insert into pins (chat_id, seq, pinned_by) select chat_id, seq, $1 from messages where id = any ($2)`;
    await database.execute(pins, [ada.id, ids.slice(0, 99)]);
    const [hundredth, next] = ids.slice(99);
    for (let times = 0; times < 2; times++) await bob.client.done('pinMessage', { messageId: hundredth });
    expect(await bob.client.refused('pinMessage', { messageId: next })).to.equal('CONFLICT');
    await ada.client.done('unpinMessage', { messageId: ids[0] });
    await bob.client.done('pinMessage', { messageId: next });
  });

  it('is allowed to the owner and admins in groups', async () => {
    const [ada, bob, eve] = await newClients(3);
    const groupId = await newGroup(ada.client, bob);
    const { messageId } = await bob.client.done('messageInGroup', { groupId, content: 'x' });
    expect(await bob.client.refused('pinMessage', { messageId })).to.equal('FORBIDDEN');
    await ada.client.done('pinMessage', { messageId });
    expect(await bob.client.refused('unpinMessage', { messageId })).to.equal('FORBIDDEN');
    expect(await eve.client.refused('pinMessage', { messageId })).to.equal('NOT_FOUND');
    expect(await eve.client.refused('listPins', { groupId })).to.equal('NOT_A_MEMBER');
    expect(await ada.client.refused('listPins', {})).to.equal('BAD_REQUEST');
    expect(await ada.client.refused('listPins', { groupId, receiverId: bob.id })).to.equal('BAD_REQUEST');
  });
});
