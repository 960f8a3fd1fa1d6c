import { expect } from 'chai';
import { database, newClients, newGroup } from '../support/harness.ts';

describe('addReaction', () => {
  it('counts each emoji of a user once, and marks own reactions', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob, cleo);
    const { messageId, seq } = await ada.client.done('messageInGroup', { groupId, content: 'vote' });
    const elsewhere = { groupId: await newGroup(ada.client, bob, cleo), content: 'vote' };
    const other = await ada.client.done('messageInGroup', elsewhere);
    expect(other.seq).to.equal(seq);
    await ada.client.done('addReaction', { messageId: other.messageId, emoji: '👍' });
    await Promise.all(
      [bob, cleo].map(({ client }) => client.done('addReaction', { messageId, emoji: '👍' })),
    );
    for (let times = 0; times < 2; times++) await bob.client.done('addReaction', { messageId, emoji: '❤' });
    const pushes = (await ada.client.rest())
      .filter(({ type }) => type === 'addReaction')
      .map(({ params }) => params);
    expect(pushes.map(({ emoji, count }) => `${emoji}${count}`)).to.deep.equal(['👍1', '👍2', '❤️1']);
    expect(pushes[0]).to.include({ messageId, seq, groupId });
    const { data } = await bob.client.done('getMessage', { messageId });
    expect(data.reactions).to.have.deep.members([
      { emoji: '👍', count: 2, own: true },
      { emoji: '❤️', count: 1, own: true },
    ]);
    const [row] = (await ada.client.done('getlatestMessageGroup', { groupId, limit: 1 })).data;
    expect(row.reactions).to.deep.include({ emoji: '👍', count: 2, own: false });
  });

  it('accepts any single emoji and nothing else', async () => {
    const [ada, bob] = await newClients(2);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'x' });
    for (const emoji of ['😀', '👩🏽‍🚀', '🇨🇿', '1️⃣', '🏴󠁧󠁢󠁷󠁬󠁳󠁿', '☎', '👨‍👩‍👧‍👦'])
      await ada.client.done('addReaction', { messageId, emoji });
    for (const emoji of ['', 'a', '1', '👍👍', ' 👍', ':+1:', '\u{1F3FB}\u{1F3FB}', 7, '👍'.repeat(20)])
      expect(await ada.client.refused('addReaction', { messageId, emoji }), `${emoji}`).to.equal(
        'BAD_REQUEST',
      );
    expect((await ada.client.done('getMessage', { messageId })).data.reactions).to.have.length(7);
  });

  it('treats all encodings of an emoji as the same one', async () => {
    const [ada, bob] = await newClients(2);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'x' });
    await ada.client.done('addReaction', { messageId, emoji: '🏳\u{200D}🌈' });
    await bob.client.done('addReaction', { messageId, emoji: '🏳\u{FE0F}\u{200D}🌈' });
    const { data } = await ada.client.done('getMessage', { messageId });
    expect(data.reactions).to.deep.equal([{ emoji: '🏳\u{FE0F}\u{200D}🌈', count: 2, own: true }]);
    await ada.client.done('removeReaction', { messageId, emoji: '🏳\u{200D}🌈\u{FE0F}' });
    await bob.client.done('removeReaction', { messageId, emoji: '🏳\u{200D}🌈' });
    expect((await ada.client.done('getMessage', { messageId })).data.reactions).to.deep.equal([]);
  });

  it('accepts fifty different emoji on a message, and further users with one of them', async () => {
    const [ada, bob] = await newClients(2);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'x' });
    const counts = Object.fromEntries(Array.from({ length: 49 }, (_, n) => [`emoji ${n}`, 1]));
    await database.messages.update({ reactions: counts }, { where: { id: messageId } });
    await ada.client.done('addReaction', { messageId, emoji: '👍' });
    expect(await bob.client.refused('addReaction', { messageId, emoji: '🎉' })).to.equal('CONFLICT');
    expect(await bob.client.done('addReaction', { messageId, emoji: '👍' })).to.include({ count: 2 });
  });

  it('is allowed to users who can see the message', async () => {
    const [ada, bob, eve] = await newClients(3);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'x' });
    expect(await eve.client.refused('addReaction', { messageId, emoji: '👍' })).to.equal('NOT_FOUND');
    await ada.client.done('deleteMessage', { messageId });
    expect(await bob.client.refused('addReaction', { messageId, emoji: '👍' })).to.equal('NOT_FOUND');
  });
});

describe('removeReaction', () => {
  it('removes an own reaction, once', async () => {
    const [ada, bob] = await newClients(2);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'x' });
    for (const { client } of [ada, bob]) await client.done('addReaction', { messageId, emoji: '👍' });
    for (let times = 0; times < 2; times++)
      await bob.client.done('removeReaction', { messageId, emoji: '👍' });
    expect((await ada.client.push('removeReaction')).params).to.include({
      emoji: '👍',
      count: 1,
      senderId: bob.id,
    });
    expect((await bob.client.done('getMessage', { messageId })).data.reactions).to.deep.equal([
      { emoji: '👍', count: 1, own: false },
    ]);
    await ada.client.done('removeReaction', { messageId, emoji: '👍' });
    expect((await bob.client.done('getMessage', { messageId })).data.reactions).to.deep.equal([]);
  });
});
