import { expect } from 'chai';
import type { Client, Frame } from '../support/client.ts';
import { database, newGroup, newUsers } from '../support/harness.ts';

/** Collects the messages of a chat that a connection sees, in order: own replies and pushes. */
function watch(client: Client, type: string): number[] {
  const seqs: number[] = [];
  client.socket.on('message', (data) => {
    const frame: Frame = JSON.parse(String(data));
    if (frame.type === type && frame.success) seqs.push(frame.params.seq);
  });
  return seqs;
}

const upTo = (last: number, from = 1) => Array.from({ length: last - from + 1 }, (_, index) => from + index);

describe('the order of a chat', () => {
  it('begins for a new connection with the next message, and nothing earlier is pushed', async () => {
    const [ada, bob] = await newUsers(2);
    const a = await ada.connect();
    const groupId = await newGroup(a, bob);
    for (let n = 1; n <= 3; n++) {
      await a.done('privateMessage', { receiverId: bob.id, content: `${n}` });
      await a.done('messageInGroup', { groupId, content: `${n}` });
    }
    const b = await bob.connect();
    await a.done('privateMessage', { receiverId: bob.id, content: 'new' });
    await a.done('messageInGroup', { groupId, content: 'new' });
    for (const type of ['privateMessage', 'messageInGroup'])
      expect((await b.push(type)).params.message).to.equal('new');
    await new Promise((resolve) => setTimeout(resolve, 300)); // longer than the wait for a gap
    expect(await b.rest()).to.deep.equal([]);
  });

  it('has no gap and is the same for every member, however many write at once', async () => {
    const members = await newUsers(8);
    const clients = await Promise.all(members.map((member) => member.connect()));
    const [owner] = clients as [Client];
    const groupId = await newGroup(owner, ...members.slice(1));
    await Promise.all(clients.map((client) => client.rest()));
    const seen = clients.map((client) => watch(client, 'messageInGroup'));

    const each = 100;
    const replies = await Promise.all(
      clients.flatMap((client, sender) =>
        Array.from({ length: each }, (_, n) =>
          client.call('messageInGroup', { groupId, content: `${sender}:${n}` }),
        ),
      ),
    );
    const last = members.length + clients.length * each;
    await Promise.all(clients.map((client) => client.rest()));

    expect(replies.map(({ params }) => params.seq).sort((a, b) => a - b)).to.deep.equal(
      upTo(last, members.length + 1),
    );
    for (const seqs of seen) expect(seqs).to.deep.equal(upTo(last, members.length + 1));

    const stored = await database.messages.findAll({ where: { chatId: groupId }, order: ['seq'] });
    expect(stored.map(({ seq }) => seq)).to.deep.equal(upTo(last));
    for (let sender = 0; sender < clients.length; sender++) {
      const own = stored
        .filter(({ content }) => content.startsWith(`${sender}:`))
        .map(({ content }) => content);
      expect(own).to.deep.equal(Array.from({ length: each }, (_, n) => `${sender}:${n}`));
    }
  });

  it('keeps what one connection sends to a new dialog, from the very first message', async () => {
    const [ada, bob] = await newUsers(2);
    const a = await ada.connect();
    const ids = upTo(50).map((n) => a.send('privateMessage', { receiverId: bob.id, content: `${n}` }));
    const replies = await Promise.all(ids.map((id) => a.reply(id)));
    expect(replies.map(({ params }) => params.seq)).to.deep.equal(upTo(50));
    const { data } = (await a.call('getlatestMessageDialog', { receiverId: bob.id, limit: 50 })).params;
    expect(data.map((row: { content: string }) => Number(row.content))).to.deep.equal(upTo(50).toReversed());
  });
});

describe('the order of a connection', () => {
  it('answers in the order of the requests, errors among them', async () => {
    const [ada, bob] = await newUsers(2);
    const a = await ada.connect();
    const sent = [
      a.send('privateMessage', { receiverId: bob.id, content: '1' }),
      a.send('privateMessage', { receiverId: bob.id }),
      a.send('listLastMessage'),
      a.send('dance'),
      a.send('privateMessage', { receiverId: 999_999_999, content: '2' }),
      a.send('privateMessage', { receiverId: bob.id, content: '3' }),
      a.send('newGroup', { groupName: 'x' }),
      a.send('privateMessage', { receiverId: bob.id, content: '4' }),
    ];
    const answered: string[] = [];
    while (answered.length < sent.length) answered.push((await a.next()).id);
    expect(answered).to.deep.equal(sent);
  });

  it('applies each command after the effect of the one before, without waiting for its reply', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(), await bob.connect()];
    const groupId = await newGroup(a);

    a.send('messageInGroup', { groupId, content: 'alone' });
    a.send('addUserInGroup', { groupId, userId: bob.id });
    a.send('messageInGroup', { groupId, content: 'together' });
    const history = a.send('getlatestMessageGroup', { groupId });
    a.send('leaveGroup', { groupId });
    const tooLate = a.send('messageInGroup', { groupId, content: 'too late' });

    const { data } = (await a.reply(history)).params;
    expect(data.map((row: { content: string }) => row.content).slice(0, 3)).to.deep.equal([
      'together',
      `${ada.username} added ${bob.username}`,
      'alone',
    ]);
    expect((await a.reply(tooLate)).code).to.equal('NOT_A_MEMBER');
    const pushes = [await b.next(), await b.next(), await b.next()];
    expect(pushes.map(({ type, params }) => [type, params.seq])).to.deep.equal([
      ['addUserInGroup', 3],
      ['messageInGroup', 4],
      ['leaveGroup', 5],
    ]);
  });

  it('handles thousands of invalid frames after a slow command', async () => {
    const [ada] = await newUsers(1);
    const a = await ada.connect();
    a.send('listLastMessage');
    const ids = Array.from({ length: 20_000 }, () => a.send('dance'));
    expect((await a.reply(ids.at(-1) as string)).code).to.equal('UNKNOWN_TYPE');
  });
});
