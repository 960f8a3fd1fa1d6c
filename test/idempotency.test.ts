import { expect } from 'chai';
import { database, newGroup, newUsers, startServer } from './harness.ts';

describe('clientMessageId', () => {
  it('stores a repeated message once and answers with the first result', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(), await bob.connect()];
    const message = { receiverId: bob.id, content: 'once', clientMessageId: 'm-1' };
    const first = await a.call('privateMessage', message);
    const again = await a.call('privateMessage', message);
    expect(again.params).to.deep.equal(first.params);
    expect((await b.push('privateMessage')).params.messageId).to.equal(first.params.messageId);
    expect(await b.rest()).to.deep.equal([]);
  });

  it('recognises repeats inside one batch, and from two connections at once', async () => {
    const [ada, bob] = await newUsers(2);
    const clients = [await ada.connect(), await ada.connect()];
    const b = await bob.connect();
    const message = { receiverId: bob.id, content: 'once', clientMessageId: 'm-1' };
    const calls = clients.flatMap((client) =>
      Array.from({ length: 20 }, () => client.call('privateMessage', message)),
    );
    const answers = await Promise.all(calls);
    expect(new Set(answers.map(({ params }) => JSON.stringify(params)))).to.have.property('size', 1);
    await b.push('privateMessage');
    expect(await b.rest()).to.deep.equal([]);
    expect(await database.messages.count({ where: { senderId: ada.id } })).to.equal(1);
  });

  it('stores once what reaches two nodes at the same time, and fails none of its neighbours', async () => {
    const [ada, bob] = await newUsers(2);
    const other = await startServer();
    const [here, there] = [await ada.connect(), await ada.connect(other.url)];
    await here.call('privateMessage', { receiverId: bob.id, content: 'the dialog exists' });

    for (let round = 0; round < 20; round++) {
      const calls = [here, there].flatMap((client, node) => [
        client.call('privateMessage', { receiverId: bob.id, content: `before ${node}` }),
        client.call('privateMessage', {
          receiverId: bob.id,
          content: 'once',
          clientMessageId: `round ${round}`,
        }),
        client.call('privateMessage', { receiverId: bob.id, content: `after ${node}` }),
      ]);
      const answers = await Promise.all(calls);
      expect(answers.every(({ success }) => success)).to.equal(true);
      expect(answers[4].params).to.deep.equal(answers[1].params);
    }
    const stored = await database.messages.findAll({ where: { senderId: ada.id }, order: ['seq'] });
    expect(stored.map(({ seq }) => seq)).to.deep.equal(Array.from({ length: 101 }, (_, index) => index + 1));
    await other.close();
  });

  it('answers the first result on another node and after the sender has left', async () => {
    const [ada] = await newUsers(1);
    const a = await ada.connect();
    const groupId = await newGroup(a);
    const message = { groupId, content: 'once', clientMessageId: 'm-1' };
    const first = await a.call('messageInGroup', message);
    await a.call('leaveGroup', { groupId });
    const other = await startServer();
    const elsewhere = await ada.connect(other.url);
    expect((await elsewhere.call('messageInGroup', message)).params).to.deep.equal(first.params);
    await other.close();
  });

  it('belongs to its sender alone', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(), await bob.connect()];
    const groupId = await newGroup(a, bob);
    const message = { groupId, content: 'mine', clientMessageId: 'same' };
    const answers = [await a.call('messageInGroup', message), await b.call('messageInGroup', message)];
    expect(answers.map(({ params }) => params.seq)).to.deep.equal([3, 4]);
  });

  it('is refused for a message in another chat, which would be lost', async () => {
    const [ada, bob, cleo] = await newUsers(3);
    const a = await ada.connect();
    const to = (receiverId: number) => ({ receiverId, content: 'hi', clientMessageId: 'm-1' });
    const apart = [await a.call('privateMessage', to(bob.id)), await a.call('privateMessage', to(cleo.id))];
    expect(apart.map(({ code }) => code)).to.deep.equal([undefined, 'CONFLICT']);

    const dave = { ...to(bob.id), clientMessageId: 'm-2' };
    const together = [
      a.call('privateMessage', dave),
      a.call('privateMessage', { ...dave, receiverId: cleo.id }),
    ];
    expect((await Promise.all(together)).map(({ code }) => code)).to.deep.equal([undefined, 'CONFLICT']);
  });

  it('stays free when the message was refused', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(), await bob.connect()];
    const groupId = await newGroup(b);
    const message = { groupId, content: 'let me in', clientMessageId: 'm-1' };
    const calls = [a.call('messageInGroup', message)];
    calls.push(a.call('privateMessage', { receiverId: bob.id, content: 'please', clientMessageId: 'm-1' }));
    const [refused, stored] = await Promise.all(calls);
    expect([refused.code, stored.success]).to.deep.equal(['NOT_A_MEMBER', true]);
  });

  it('has 1 to 64 characters', async () => {
    const [ada] = await newUsers(1);
    const a = await ada.connect();
    const call = (clientMessageId: unknown) =>
      a.call('privateMessage', { receiverId: ada.id, content: 'x', clientMessageId });
    expect((await call('ü'.repeat(64))).success).to.equal(true);
    for (const wrong of ['', 'x'.repeat(65), 7, null, 'a\0b'])
      expect((await call(wrong)).code).to.equal('BAD_REQUEST');
  });
});
