import { expect } from 'chai';
import { database, newClients, newGroup } from '../support/harness.ts';

const seqs = (rows: { seq: number }[]) => rows.map(({ seq }) => seq);

describe('getMessages', () => {
  it('reads after, before and between two messages', async () => {
    const [ada, bob] = await newClients(2);
    for (let n = 1; n <= 10; n++)
      await ada.client.done('privateMessage', { receiverId: bob.id, content: `${n}` });
    const read = async (params: object) =>
      seqs((await bob.client.done('getMessages', { receiverId: ada.id, ...params })).data);
    expect(await read({ afterSeq: 7 })).to.deep.equal([8, 9, 10]);
    expect(await read({ afterSeq: 2, limit: 3 })).to.deep.equal([3, 4, 5]);
    expect(await read({ beforeSeq: 4 })).to.deep.equal([1, 2, 3]);
    expect(await read({ beforeSeq: 9, limit: 2 })).to.deep.equal([7, 8]);
    expect(await read({ afterSeq: 3, beforeSeq: 6 })).to.deep.equal([4, 5]);
    expect(await read({ limit: 2 })).to.deep.equal([9, 10]);
    expect(await read({ afterSeq: 10 })).to.deep.equal([]);
    expect(await read({ beforeSeq: 1 })).to.deep.equal([]);
    expect(await read({ afterSeq: 0, beforeSeq: Number.MAX_SAFE_INTEGER, limit: 100 })).to.have.length(10);
    expect(await bob.client.refused('getMessages', { receiverId: ada.id, afterSeq: -1 })).to.equal(
      'BAD_REQUEST',
    );
  });

  it('reports in each direction whether there are more messages', async () => {
    const [ada, bob] = await newClients(2);
    for (let n = 1; n <= 5; n++)
      await ada.client.done('privateMessage', { receiverId: bob.id, content: `${n}` });
    for (const [params, more] of [
      [{ afterSeq: 1, limit: 3 }, true],
      [{ afterSeq: 2, limit: 3 }, false],
      [{ afterSeq: 5 }, false],
      [{ beforeSeq: 5, limit: 3 }, true],
      [{ beforeSeq: 4, limit: 3 }, false],
      [{ beforeSeq: 1 }, false],
      [{ afterSeq: 1, beforeSeq: 5, limit: 2 }, true],
      [{ afterSeq: 1, beforeSeq: 5, limit: 3 }, false],
      [{ afterSeq: 1, beforeSeq: 2 }, false],
      [{ limit: 4 }, true],
      [{ limit: 5 }, false],
    ] as const) {
      const page = await bob.client.done('getMessages', { receiverId: ada.id, ...params });
      expect(page.more, JSON.stringify(params)).to.equal(more);
    }
  });

  it('is allowed to the members of the chat', async () => {
    const [ada, bob, eve] = await newClients(3);
    const groupId = await newGroup(ada.client);
    expect(await eve.client.refused('getMessages', { groupId })).to.equal('NOT_A_MEMBER');
    expect(await eve.client.refused('getMessages', { receiverId: bob.id })).to.equal('NOT_FOUND');
    expect(await eve.client.refused('getMessages', { receiverId: 999_999_999 })).to.equal('NOT_FOUND');
  });
});

describe('getMessagesAround', () => {
  it('reads a message with its neighbours, up to the ends of the chat', async () => {
    const [ada, bob] = await newClients(2);
    const ids: number[] = [];
    for (let n = 1; n <= 9; n++)
      ids.push((await ada.client.done('privateMessage', { receiverId: bob.id, content: `${n}` })).messageId);
    const around = async (seq: number, limit: number) =>
      seqs((await bob.client.done('getMessagesAround', { messageId: ids[seq - 1], limit })).data);
    expect(await around(5, 3)).to.deep.equal([4, 5, 6]);
    expect(await around(5, 4)).to.deep.equal([4, 5, 6, 7]);
    expect(await around(1, 3)).to.include(1);
    expect(await around(9, 3)).to.deep.equal([7, 8, 9]);
    expect(await around(5, 1)).to.deep.equal([5]);
  });

  it('is allowed to users who can see the message', async () => {
    const [ada, bob, eve] = await newClients(3);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'x' });
    expect(await eve.client.refused('getMessagesAround', { messageId })).to.equal('NOT_FOUND');
    expect(await eve.client.refused('getMessage', { messageId })).to.equal('NOT_FOUND');
    const { data } = await bob.client.done('getMessage', { messageId });
    expect(data).to.include({ messageId, senderId: ada.id, receiverId: bob.id, content: 'x' });
  });
});

describe('reportMessage', () => {
  it('stores the content of the message, once per user', async () => {
    const [ada, bob] = await newClients(2);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'rude' });
    for (let times = 0; times < 2; times++)
      await bob.client.done('reportMessage', { messageId, reason: 'abuse' });
    await ada.client.done('deleteMessage', { messageId });
    const reports = await database.reports.findAll({ where: { messageId } });
    expect(reports).to.have.length(1);
    expect(reports[0]).to.include({ reporterId: bob.id, reason: 'abuse', content: 'rude' });
    expect(await bob.client.refused('reportMessage', { messageId, reason: '' })).to.equal('BAD_REQUEST');
  });
});

describe('sendEvent', () => {
  it('reaches the live connections and is stored nowhere', async () => {
    const [ada, bob, eve] = await newClients(3);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('sendEvent', { groupId, event: 'poll', custom: { votes: 3 } });
    expect((await bob.client.push('sendEvent')).params).to.deep.equal({
      data: null,
      message: null,
      senderName: ada.username,
      senderId: ada.id,
      groupId,
      event: 'poll',
      custom: { votes: 3 },
    });
    expect(await database.messages.count({ where: { chatId: groupId } })).to.equal(2);
    expect(await eve.client.refused('sendEvent', { groupId, event: 'poll' })).to.equal('NOT_A_MEMBER');
    expect(await ada.client.refused('sendEvent', { groupId })).to.equal('BAD_REQUEST');
  });
});
