import { expect } from 'chai';
import type { Client, Frame } from '../support/client.ts';
import { database, newClients, newGroup, startServer, typedClient } from '../support/harness.ts';

/** A chat of two people with messages up to `seq`. */
interface Scene {
  readonly ada: Client;
  readonly bob: Client;
  readonly seq: number;
  /** Sends a message of Ada, or of Bob, without waiting. */
  send(params: object, by?: Client): Promise<Frame>;
}

const commands: Readonly<Record<string, () => Promise<Scene>>> = {
  async privateMessage() {
    const [ada, bob] = await newClients(2);
    const send = (params: object, by = ada.client) =>
      by.call('privateMessage', { receiverId: (by === ada.client ? bob : ada).id, content: 'x', ...params });
    for (let count = 0; count < 2; count++) await send({});
    return { ada: ada.client, bob: bob.client, seq: 2, send };
  },
  async messageInGroup() {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const send = (params: object, by = ada.client) =>
      by.call('messageInGroup', { groupId, content: 'x', ...params });
    return { ada: ada.client, bob: bob.client, seq: 2, send };
  },
};

/** Returns the seq of a stored message, or the code and the seq of an error. */
const outcome = ({ params, code, seq }: Frame): unknown => (code === undefined ? params.seq : [code, seq]);

for (const [type, newScene] of Object.entries(commands))
  describe(`ifSeq of ${type}`, () => {
    it('stores the message if it is the next one, and pushes it without ifSeq', async () => {
      const { bob, seq, send } = await newScene();
      const reply = await send({ ifSeq: seq, content: 'mine' });
      expect(reply.params)
        .to.include({ seq: seq + 1 })
        .and.not.have.property('ifSeq');
      const push = await bob.next(({ type: is, params }) => is === type && params.seq === seq + 1);
      expect(push.params).to.include({ message: 'mine' }).and.not.have.property('ifSeq');
    });

    it('is refused with CONFLICT and the current seq if the message would be another', async () => {
      const { seq, send } = await newScene();
      const { message, ...error } = await send({ ifSeq: seq - 1 });
      expect(error).to.deep.equal({ error: true, type, code: 'CONFLICT', seq, id: error.id });
      expect(message).to.equal(`The newest message of this chat has seq ${seq}, not ${seq - 1}`);
      for (const ifSeq of [0, seq + 1, Number.MAX_SAFE_INTEGER])
        expect(outcome(await send({ ifSeq }))).to.deep.equal(['CONFLICT', seq]);
    });

    it('leaves no gap and pushes nothing when it is refused', async () => {
      const { ada, bob, seq, send } = await newScene();
      const sent = [
        { ifSeq: 0 },
        {},
        { ifSeq: seq },
        { ifSeq: seq + 1 },
        { ifSeq: seq + 1 },
        { silent: true },
      ];
      const replies = await Promise.all(sent.map((params) => send(params)));
      expect(replies.map(outcome)).to.deep.equal([
        ['CONFLICT', seq],
        seq + 1,
        ['CONFLICT', seq + 1],
        seq + 2,
        ['CONFLICT', seq + 2],
        seq + 3,
      ]);
      expect(await ada.rest()).to.deep.equal([]);
      const pushed: number[] = [];
      while (pushed.at(-1) !== seq + 3) {
        const push = await bob.push(type);
        if (push.params.seq > seq) pushed.push(push.params.seq);
      }
      expect(pushed).to.deep.equal([seq + 1, seq + 2, seq + 3]);
    });

    it('counts messages sent before on the same connection, and no later ones', async () => {
      const { seq, send } = await newScene();
      const replies = await Promise.all(
        [{}, { ifSeq: seq + 1 }, { ifSeq: seq + 2 }, {}].map((params) => send(params)),
      );
      expect(replies.map(outcome)).to.deep.equal([seq + 1, seq + 2, seq + 3, seq + 4]);
    });

    it('lets one of several connections store the message', async () => {
      const { ada, bob, seq, send } = await newScene();
      const replies = await Promise.all(
        Array.from({ length: 10 }, (_, n) => send({ ifSeq: seq, content: `${n}` }, n % 2 ? ada : bob)),
      );
      const stored = replies.filter(({ success }) => success);
      expect(stored.map(outcome)).to.deep.equal([seq + 1]);
      for (const reply of replies)
        if (reply.error) expect(outcome(reply)).to.deep.equal(['CONFLICT', seq + 1]);
    });

    it('does not matter when the message repeats one that was stored', async () => {
      const { seq, send } = await newScene();
      const message = { content: 'once', clientMessageId: 'claim', ifSeq: seq };
      const first = await send(message);
      await send({});
      for (const again of [message, { ...message, ifSeq: 0 }, { ...message, ifSeq: undefined }])
        expect((await send(again)).params).to.deep.equal(first.params);
    });

    it('leaves the clientMessageId unused when it is refused', async () => {
      const { seq, send } = await newScene();
      const message = { content: 'once', clientMessageId: 'claim' };
      const replies = await Promise.all([
        send({ ...message, ifSeq: seq + 1 }),
        send({ ...message, ifSeq: seq + 1 }),
        send({ ...message, ifSeq: seq }),
        send({ ...message, ifSeq: seq }),
      ]);
      expect(outcome(replies[0])).to.deep.equal(['CONFLICT', seq]);
      expect(replies.slice(2).map(outcome)).to.deep.equal([seq + 1, seq + 1]);
    });

    it('goes with all other options', async () => {
      const { bob, seq, send } = await newScene();
      const { params } = await send({});
      const options = { replyTo: params.messageId, silent: true, custom: { a: 1 } };
      expect(outcome(await send({ ...options, ifSeq: seq }))).to.deep.equal(['CONFLICT', seq + 1]);
      expect(outcome(await send({ ...options, ifSeq: seq + 1 }))).to.equal(seq + 2);
      const push = await bob.next(({ params }) => params?.seq === seq + 2);
      expect(push.params).to.deep.include(options);
      const stored = await database.messages.findOne({ where: { replyTo: params.messageId } });
      expect(stored).to.deep.include({ seq: seq + 2, silent: true, custom: { a: 1 } });
    });

    it('is an integer from 0 on', async () => {
      const { send } = await newScene();
      for (const ifSeq of [-1, 1.5, '2', null, true, [2], 2 ** 53])
        expect(await send({ ifSeq }), `${ifSeq}`)
          .to.include({ code: 'BAD_REQUEST' })
          .and.have.property('message')
          .that.match(/^params.ifSeq/);
    });
  });

describe('ifSeq', () => {
  it('is 0 for a message that is to be the first of a dialog', async () => {
    const [ada, bob] = await newClients(2);
    const write = ({ client }: { client: Client }, receiverId: number, ifSeq: number) =>
      client.call('privateMessage', { receiverId, content: 'first', ifSeq });
    expect(outcome(await write(ada, bob.id, 1))).to.deep.equal(['CONFLICT', 0]);
    expect((await bob.client.done('listLastMessage')).data).to.deep.equal([]);
    const replies = await Promise.all([write(ada, bob.id, 0), write(bob, ada.id, 0)]);
    expect(replies.map(outcome)).to.have.deep.members([1, ['CONFLICT', 1]]);
    expect(outcome(await write(ada, ada.id, 0))).to.equal(1);
  });

  it('is looked at after everything else that refuses a message', async () => {
    const [ada, bob, eve] = await newClients(3);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'x', clientMessageId: 'used' });
    await ada.client.done('blockUser', { userId: bob.id });
    const wrong = { content: 'x', ifSeq: 77 };
    const refused = async (client: Client, type: string, params: object) => {
      const reply = await client.call(type, { ...wrong, ...params });
      expect(reply).not.to.have.property('seq');
      return reply.code;
    };
    expect(await refused(eve.client, 'messageInGroup', { groupId })).to.equal('NOT_A_MEMBER');
    expect(await refused(bob.client, 'privateMessage', { receiverId: ada.id })).to.equal('FORBIDDEN');
    expect(await refused(ada.client, 'messageInGroup', { groupId: 2 ** 40 })).to.equal('NOT_FOUND');
    expect(await refused(ada.client, 'privateMessage', { receiverId: 2 ** 40 })).to.equal('NOT_FOUND');
    expect(await refused(ada.client, 'messageInGroup', { groupId, replyTo: 1 })).to.equal('NOT_FOUND');
    expect(await refused(ada.client, 'messageInGroup', { groupId, clientMessageId: 'used' })).to.equal(
      'CONFLICT',
    );
    await ada.client.done('updateGroup', { groupId, whoMayPost: 'admins' });
    expect(await refused(bob.client, 'messageInGroup', { groupId })).to.equal('FORBIDDEN');
  });

  it('is decided between the changes of a group, in the order of the commands', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob);
    const replies = await Promise.all([
      ada.client.call('messageInGroup', { groupId, content: 'before', ifSeq: 2 }),
      ada.client.call('addUserInGroup', { groupId, userId: cleo.id }),
      ada.client.call('messageInGroup', { groupId, content: 'too late', ifSeq: 3 }),
      ada.client.call('messageInGroup', { groupId, content: 'after', ifSeq: 4 }),
    ]);
    expect([replies[0], replies[2], replies[3]].map(outcome)).to.deep.equal([3, ['CONFLICT', 4], 5]);
  });

  it('is decided by what other nodes have stored', async () => {
    const [ada, bob] = await newClients(2);
    const other = await startServer();
    try {
      const elsewhere = await bob.connect(other.url);
      const to = { receiverId: bob.id, content: 'x' };
      expect(outcome(await ada.client.call('privateMessage', { ...to, ifSeq: 0 }))).to.equal(1);
      const back = { receiverId: ada.id, content: 'x' };
      expect(outcome(await elsewhere.call('privateMessage', { ...back, ifSeq: 0 }))).to.deep.equal([
        'CONFLICT',
        1,
      ]);
      expect(outcome(await elsewhere.call('privateMessage', { ...back, ifSeq: 1 }))).to.equal(2);
      expect(outcome(await ada.client.call('privateMessage', { ...to, ifSeq: 1 }))).to.deep.equal([
        'CONFLICT',
        2,
      ]);
    } finally {
      await other.close();
    }
  });

  it('rejects a call of the typed client with the current seq', async () => {
    const [ada, bob] = await newClients(2);
    const client = typedClient(ada);
    const claim = { receiverId: bob.id, content: 'mine', ifSeq: 0 };
    expect((await client.call('privateMessage', claim)).seq).to.equal(1);
    const error = await client.call('privateMessage', claim).catch((reason) => reason);
    expect(error).to.include({ name: 'ParleyError', code: 'CONFLICT', seq: 1 });
  });
});
