import { expect } from 'chai';
import type { Frame } from '../support/client.ts';
import { http, newClients, newGroup, type Person, startServer } from '../support/harness.ts';

const write = (one: Person, { id: receiverId }: Person, content = 'x') =>
  one.client.done('privateMessage', { receiverId, content });
const markRead = (one: Person, { id: receiverId }: Person, seq: number) =>
  one.client.done('markRead', { receiverId, seq });
const cursorOf = async ({ client }: Person): Promise<string> =>
  (await client.done('sync', { fromNow: true })).nextCursor;
const receipts = (frames: Frame[]) =>
  frames.filter(({ type }) => type === 'markRead' || type === 'markDelivered');

/** Returns the receipts of the other user, [delivered, read], which are the same in every list. */
async function shown(one: Person, { id: receiverId }: Person): Promise<number[]> {
  const [{ data: row }, { data: rows }, { data: changes }] = await Promise.all([
    one.client.done('getChat', { receiverId }),
    one.client.done('listLastMessage'),
    one.client.done('sync', {}),
  ]);
  const chat = changes.find((change: Frame) => change.kind === 'chat' && change.receiverId === receiverId);
  const listed = rows.find((other: Frame) => other.id === row.id);
  const all = [row, listed, chat].map(({ otherDeliveredSeq, otherReadSeq }) => [
    otherDeliveredSeq,
    otherReadSeq,
  ]);
  expect(all[1]).to.deep.equal(all[0]);
  expect(all[2]).to.deep.equal(all[0]);
  return all[0] as number[];
}

/** Creates a dialog with three messages of the first user, of which the second has read one. */
async function dialog() {
  const [ada, bob] = await newClients(2);
  const sent = [];
  for (let n = 0; n < 3; n++) sent.push(await write(ada, bob));
  await markRead(bob, ada, 1);
  await ada.client.push('markRead');
  return { ada, bob, sent };
}

describe('receipts during a block between two users', () => {
  it('are hidden from both, in every list and push', async () => {
    for (const who of ['reader', 'writer'] as const) {
      const { ada, bob, sent } = await dialog();
      const [one, other] = who === 'reader' ? [bob, ada] : [ada, bob];
      await one.client.done('blockUser', { userId: other.id });
      const cursor = await cursorOf(ada);
      await Promise.all([ada.client.rest(), bob.client.rest()]);
      await bob.client.done('markDelivered', { receiverId: ada.id, seq: 2 });
      await markRead(bob, ada, 3);
      expect(await ada.client.rest()).to.deep.equal([]);
      expect(await shown(ada, bob)).to.deep.equal([1, 1]);
      const { data } = await ada.client.done('getReceipts', { messageId: sent[1].messageId });
      expect(data).to.deep.equal([{ userId: bob.id, username: bob.username, delivered: false, read: false }]);
      expect((await ada.client.done('sync', { cursor })).data, 'not even that a receipt moved').to.deep.equal(
        [],
      );
      const own = (await bob.client.done('getChat', { receiverId: ada.id })).data;
      expect(own).to.include({ readSeq: 3, deliveredSeq: 3, unreadCount: 0 });
      const seen = (await bob.client.done('getReceipts', { messageId: sent[2].messageId })).data;
      expect(seen, 'own receipts').to.deep.include({
        ...{ userId: bob.id, username: bob.username },
        ...{ delivered: true, read: true },
      });
    }
  });

  it('are implied by a message of the other: everything before it is read', async () => {
    const { ada, bob } = await dialog();
    await ada.client.done('blockUser', { userId: bob.id });
    await markRead(bob, ada, 2);
    await write(ada, bob);
    expect(await shown(bob, ada)).to.deep.equal([4, 4]);
    expect(await shown(ada, bob)).to.deep.equal([1, 1]);
  });

  it('stay as they were at its beginning when the other blocks as well', async () => {
    const { ada, bob } = await dialog();
    await ada.client.done('blockUser', { userId: bob.id });
    await markRead(bob, ada, 3);
    await bob.client.done('blockUser', { userId: ada.id });
    expect(await shown(ada, bob)).to.deep.equal([1, 1]);
  });

  it('stay as they were at its beginning when a message is sent over a node that does not know the dialog yet', async () => {
    const { ada, bob } = await dialog();
    await ada.client.done('blockUser', { userId: bob.id });
    await markRead(bob, ada, 3);
    const other = await startServer();
    const device = await ada.connect(other.url);
    await device.done('privateMessage', { receiverId: bob.id, content: 'x' });
    expect(await shown(ada, bob)).to.deep.equal([1, 1]);
    await other.close();
  });

  it('stay visible in dialogs with others, before, during and after it', async () => {
    const { ada, bob } = await dialog();
    const [cleo, dan] = await newClients(2);
    for (const [one, other] of [
      [ada, cleo],
      [cleo, ada],
      [bob, cleo],
    ] as const)
      await one.client.done('blockUser', { userId: other.id });
    await write(ada, dan);
    await markRead(dan, ada, 1);
    expect((await ada.client.push('markRead')).params.seq, 'of a new dialog').to.equal(1);
    expect(await shown(ada, dan)).to.deep.equal([1, 1]);
    await ada.client.done('blockUser', { userId: bob.id });
    await markRead(bob, ada, 2);
    await ada.client.done('unblockUser', { userId: bob.id });
    expect(await shown(ada, bob), 'while other blocks of both go on').to.deep.equal([2, 2]);
  });

  it('are hidden in a dialog that begins during the block', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('blockUser', { userId: bob.id });
    await write(ada, bob);
    await bob.client.push('privateMessage');
    await markRead(bob, ada, 1);
    expect(receipts(await ada.client.rest())).to.deep.equal([]);
    expect(await shown(ada, bob)).to.deep.equal([0, 0]);
    expect(await shown(bob, ada)).to.deep.equal([1, 1]);
  });

  it('are hidden in a dialog that begins at the same moment on another node', async function () {
    this.timeout(60_000);
    const other = await startServer();
    for (let times = 0; times < 4; times++) {
      const [ada, bob] = await newClients(2);
      const elsewhere = await ada.connect(other.url);
      await Promise.all([
        ada.client.done('blockUser', { userId: bob.id }),
        elsewhere.done('privateMessage', { receiverId: bob.id, content: 'x' }),
      ]);
      await markRead(bob, ada, 1);
      expect(await shown(ada, bob)).to.deep.equal([0, 0]);
      expect(receipts(await ada.client.rest())).to.deep.equal([]);
    }
    await other.close();
  });

  it('stay visible in groups', async () => {
    const { ada, bob } = await dialog();
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('blockUser', { userId: bob.id });
    const { messageId, seq } = await ada.client.done('messageInGroup', { groupId, content: 'x' });
    await bob.client.done('markRead', { groupId, seq });
    const { data } = await ada.client.done('getReceipts', { messageId });
    expect(data).to.deep.equal([{ userId: bob.id, username: bob.username, delivered: true, read: true }]);
  });
});

describe('receipts at the end of the last block between two users', () => {
  it('are pushed to both when they have moved, and reported by sync', async () => {
    const { ada, bob } = await dialog();
    const desk = await ada.connect();
    await ada.client.done('blockUser', { userId: bob.id });
    await bob.client.done('blockUser', { userId: ada.id });
    await markRead(bob, ada, 2);
    await bob.client.done('markDelivered', { receiverId: ada.id, seq: 3 });
    const cursor = await cursorOf(ada);
    await Promise.all([ada.client.rest(), bob.client.rest(), desk.rest()]);

    await ada.client.done('unblockUser', { userId: bob.id });
    expect(receipts(await ada.client.rest()), 'one block is left').to.deep.equal([]);
    expect(await shown(ada, bob)).to.deep.equal([1, 1]);
    await bob.client.done('unblockUser', { userId: ada.id });
    for (const client of [ada.client, desk])
      for (const [type, seq] of [
        ['markDelivered', 3],
        ['markRead', 2],
      ] as const) {
        const { params } = await client.push(type);
        expect(params).to.deep.equal({
          ...{ data: null, message: null, senderName: bob.username },
          ...{ senderId: bob.id, receiverId: ada.id, seq },
        });
      }
    expect(receipts(await bob.client.rest()), 'no receipt of Ada has moved').to.deep.equal([]);
    expect(await shown(ada, bob)).to.deep.equal([3, 2]);
    const { data } = await ada.client.done('sync', { cursor });
    expect(data).to.have.length(1);
    expect(data[0]).to.include({ kind: 'chat', receiverId: bob.id, otherDeliveredSeq: 3, otherReadSeq: 2 });
    const later = await cursorOf(ada);
    await markRead(bob, ada, 3);
    expect((await ada.client.push('markRead')).params.seq).to.equal(3);
    const since = (await ada.client.done('sync', { cursor: later })).data;
    expect(since.map((change: Frame) => change.otherReadSeq)).to.deep.equal([3]);
  });

  for (const type of ['markDelivered', 'markRead'] as const)
    it(`are reported by sync when only one of the two has moved: ${type}`, async () => {
      const { ada, bob } = await dialog();
      await bob.client.done('markDelivered', { receiverId: ada.id, seq: type === 'markRead' ? 3 : 1 });
      await ada.client.done('blockUser', { userId: bob.id });
      await bob.client.done(type, { receiverId: ada.id, seq: 2 });
      const cursor = await cursorOf(ada);
      await ada.client.rest();
      await ada.client.done('unblockUser', { userId: bob.id });
      const pushes = receipts(await ada.client.rest()).map((push) => [push.type, push.params.seq]);
      expect(pushes).to.deep.equal([[type, 2]]);
      const { data } = await ada.client.done('sync', { cursor });
      expect(data.map((change: Frame) => [change.otherDeliveredSeq, change.otherReadSeq])).to.deep.equal([
        type === 'markRead' ? [3, 2] : [2, 1],
      ]);
    });

  it('are all visible when both blocks end at the same time', async () => {
    for (let times = 0; times < 2; times++) {
      const { ada, bob } = await dialog();
      const both = (type: string) =>
        Promise.all([ada.client.done(type, { userId: bob.id }), bob.client.done(type, { userId: ada.id })]);
      await both('blockUser');
      await markRead(bob, ada, 3);
      await both('unblockUser');
      expect(await shown(ada, bob)).to.deep.equal([3, 3]);
    }
  });

  it('of the same moment are either hidden or pushed', async () => {
    const { ada, bob } = await dialog();
    for (let n = 4; n <= 13; n++) {
      await write(ada, bob);
      await Promise.all([
        ada.client.done(n % 2 === 0 ? 'blockUser' : 'unblockUser', { userId: bob.id }),
        markRead(bob, ada, n),
      ]);
      const pushed = receipts(await ada.client.rest()).map(({ params }) => params.seq);
      const [, read = 0] = await shown(ada, bob);
      expect(Math.max(1, ...pushed, 1)).to.be.at.most(read);
      if (n % 2 === 1) expect(read).to.equal(n);
    }
  });

  it('stay hidden when the block ends by the deletion of an account', async () => {
    const { ada, bob } = await dialog();
    await bob.client.done('blockUser', { userId: ada.id });
    await markRead(bob, ada, 3);
    const { token, password } = bob;
    await http('DELETE', '/users/me', { token, body: { password } });
    expect(await shown(ada, bob)).to.deep.equal([1, 1]);
    expect(receipts(await ada.client.rest())).to.deep.equal([]);
  });
});
