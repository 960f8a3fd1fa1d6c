import { expect } from 'chai';
import { database, http, newUser, newUsers } from '../support/harness.ts';

describe('privateMessage', () => {
  it('is pushed to the receiver and to the other connections of the sender', async () => {
    const [ada, bob] = await newUsers(2);
    const [a1, a2, b] = [await ada.connect(), await ada.connect(), await bob.connect()];

    const { params } = await a1.call('privateMessage', { receiverId: bob.id, content: 'Hi' });

    expect(params).to.include({ data: null, message: null, senderName: null, seq: 1 });
    const { messageId, seq, createdAt } = params;
    const push = {
      type: 'privateMessage',
      success: true,
      params: {
        data: null,
        message: 'Hi',
        senderName: ada.username,
        messageId,
        seq,
        createdAt,
        senderId: ada.id,
        receiverId: bob.id,
      },
    };
    expect(await b.push('privateMessage')).to.deep.equal(push);
    expect(await a2.push('privateMessage')).to.deep.equal(push);
    expect(await a1.rest()).to.deep.equal([]);
  });

  it('numbers both directions of a dialog in one sequence', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(), await bob.connect()];
    const seqs = [];
    for (const [client, receiverId] of [
      [a, bob.id],
      [b, ada.id],
      [a, bob.id],
    ] as const)
      seqs.push((await client.call('privateMessage', { receiverId, content: 'ping' })).params.seq);
    expect(seqs).to.deep.equal([1, 2, 3]);
  });

  it('creates one dialog when two users first write to each other at the same time', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(), await bob.connect()];
    const replies = await Promise.all([
      a.call('privateMessage', { receiverId: bob.id, content: 'first!' }),
      b.call('privateMessage', { receiverId: ada.id, content: 'no, first!' }),
    ]);
    expect(replies.map(({ params }) => params.seq).sort()).to.deep.equal([1, 2]);
    const [userLow, userHigh] = [Math.min(ada.id, bob.id), Math.max(ada.id, bob.id)];
    expect(await database.chats.count({ where: { userLow, userHigh } })).to.equal(1);
  });

  it('to oneself is a note pushed to all own connections', async () => {
    const ada = await newUser();
    const [a1, a2] = [await ada.connect(), await ada.connect()];
    const note = await a1.call('privateMessage', { receiverId: ada.id, content: 'buy milk' });
    expect(note.params.seq).to.equal(1);
    expect((await a2.push('privateMessage')).params.message).to.equal('buy milk');
    expect(await a2.rest()).to.deep.equal([]);
  });

  it('keeps the content byte for byte', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(), await bob.connect()];
    const contents = [
      '👩‍👩‍👧‍👦 family, 🏳️‍🌈 flag, e\u0301 and \u00e9',
      'مرحبا \u202eבעברית\u202c עולם',
      `control \u0001\u001b\u007f\u0085 and "quotes" \\ 'single' $1 {} \r\n\t`,
      '  spaces around  ',
      '\ufeffbyte order mark, \uffff non-character',
      '𝒳'.repeat(4000),
      '\u0001'.repeat(4000),
    ];
    for (const content of contents) {
      await a.call('privateMessage', { receiverId: bob.id, content });
      expect((await b.push('privateMessage')).params.message).to.equal(content);
    }
    const history = await b.call('getlatestMessageDialog', { receiverId: ada.id });
    expect(history.params.data.map((row: { content: string }) => row.content)).to.deep.equal(
      contents.toReversed(),
    );
  });

  it('refuses contents that are empty, too long, or that PostgreSQL cannot store', async () => {
    const [ada, bob] = await newUsers(2);
    const a = await ada.connect();
    const expected = {
      '': 'params.content must have at least 1 characters',
      ['𝒳'.repeat(4001)]: 'params.content must have at most 4000 characters',
      'nul \0 inside': 'params.content must be well-formed Unicode without NUL (U+0000)',
      'half a \ud83d pair': 'params.content must be well-formed Unicode without NUL (U+0000)',
    };
    for (const [content, message] of Object.entries(expected)) {
      const error = await a.call('privateMessage', { receiverId: bob.id, content });
      expect(error).to.include({ error: true, code: 'BAD_REQUEST', message });
    }
    expect((await a.call('privateMessage', { receiverId: bob.id, content: 'fine' })).params.seq).to.equal(1);
  });

  it('refuses a receiver who does not exist or whose account is deleted', async () => {
    const [ada, deleted] = await newUsers(2);
    const a = await ada.connect();
    await http('DELETE', '/users/me', { token: deleted.token, body: { password: deleted.password } });
    for (const receiverId of [999_999_999, deleted.id]) {
      const error = await a.call('privateMessage', { receiverId, content: 'anybody there?' });
      expect(error).to.include({ error: true, code: 'NOT_FOUND', message: `There is no user ${receiverId}` });
    }
  });

  it('shows the current name of the sender', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(), await bob.connect()];
    const username = `${ada.username}-renamed`;
    await http('PATCH', '/users/me', { token: ada.token, body: { username } });
    await a.call('privateMessage', { receiverId: bob.id, content: 'new name' });
    expect((await b.push('privateMessage')).params.senderName).to.equal(username);
  });
});
