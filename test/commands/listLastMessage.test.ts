import { expect } from 'chai';
import { database, newGroup, newUsers } from '../support/harness.ts';

type Row = Record<string, unknown>;

describe('listLastMessage', () => {
  it('returns one row per chat, newest first', async () => {
    const [ada, bob, cleo] = await newUsers(3);
    const [a, c] = [await ada.connect(), await cleo.connect()];
    const groupId = await newGroup(a, bob);
    await a.call('privateMessage', { receiverId: bob.id, content: 'old' });
    const inDialog = (await a.call('privateMessage', { receiverId: bob.id, content: 'to bob' })).params;
    const fromCleo = (await c.call('privateMessage', { receiverId: ada.id, content: 'from cleo' })).params;
    const inGroup = (await a.call('messageInGroup', { groupId, content: 'to all' })).params;

    const { data } = (await a.call('listLastMessage')).params;

    const state = { markedUnread: false, muted: false, mutedUntil: null, pinned: false, archived: false };
    const common = { kind: 'text', version: 0, deletedAt: null, mentionCount: 0, ...state };
    const row = (sent: Row) => ({
      ...common,
      id: sent.messageId,
      seq: sent.seq,
      createdAt: sent.createdAt,
      updatedAt: sent.createdAt,
    });
    const read = ({ seq }: Row) => ({ unreadCount: 0, readSeq: seq, deliveredSeq: seq });
    expect(data).to.deep.equal([
      {
        ...row(inGroup),
        content: 'to all',
        senderId: ada.id,
        senderName: ada.username,
        receiverId: null,
        receiverName: null,
        groupId,
        groupName: 'Climbers',
        ...read(inGroup),
        otherReadSeq: null,
        otherDeliveredSeq: null,
      },
      {
        ...row(fromCleo),
        content: 'from cleo',
        senderId: cleo.id,
        senderName: cleo.username,
        receiverId: ada.id,
        receiverName: ada.username,
        groupId: null,
        groupName: null,
        unreadCount: 1,
        readSeq: 0,
        deliveredSeq: 0,
        otherReadSeq: 1,
        otherDeliveredSeq: 1,
      },
      {
        ...row(inDialog),
        content: 'to bob',
        senderId: ada.id,
        senderName: ada.username,
        receiverId: bob.id,
        receiverName: bob.username,
        groupId: null,
        groupName: null,
        ...read(inDialog),
        otherReadSeq: 0,
        otherDeliveredSeq: 0,
      },
    ]);
  });

  it('keeps the order of messages that were written within a millisecond', async () => {
    const [ada, ...others] = await newUsers(9);
    const a = await ada.connect();
    for (const { id } of [...others, ...others.toReversed()])
      a.send('privateMessage', { receiverId: id, content: 'at once' });
    const { data } = (await a.call('listLastMessage')).params;
    expect(data.map((row: Row) => row.receiverId)).to.deep.equal(others.map(({ id }) => id));
  });

  it('keeps the order of changes of groups that were made within a millisecond', async () => {
    const [ada] = await newUsers(1);
    const a = await ada.connect();
    const [first, second] = [await newGroup(a), await newGroup(a)];
    for (const groupId of [second, first]) await a.done('updateGroup', { groupId, description: 'new' });
    const sameTime = 'update chats set last_message_at = now() where id in ($1, $2)';
    await database.execute(sameTime, [first, second]);
    const { data } = await a.done('listLastMessage');
    expect(data.map((row: Row) => row.groupId)).to.deep.equal([first, second]);
  });

  it('has no row for a dialog without messages, nor a place in a page', async () => {
    const [ada, bob, cleo] = await newUsers(3);
    const a = await ada.connect();
    await a.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    const reply = { receiverId: cleo.id, content: 'refused', replyTo: 999_999_999 };
    expect(await a.refused('privateMessage', reply)).to.equal('NOT_FOUND');
    const { data } = await a.done('listLastMessage', { limit: 1 });
    expect(data.map((row: Row) => row.receiverId)).to.deep.equal([bob.id]);
    expect((await a.done('listLastMessage', { limit: 1, page: 2 })).data).to.deep.equal([]);
  });

  it('pages through the chats', async () => {
    const [ada, ...others] = await newUsers(6);
    const a = await ada.connect();
    for (const { id } of others) await a.call('privateMessage', { receiverId: id, content: `to ${id}` });
    const page = async (number: number) =>
      (await a.call('listLastMessage', { limit: 2, page: number })).params.data.map(
        (row: Row) => row.receiverId,
      );
    const [one, two, three, four] = [await page(1), await page(2), await page(3), await page(4)];
    expect([...one, ...two, ...three]).to.deep.equal(others.map(({ id }) => id).toReversed());
    expect(four).to.deep.equal([]);
  });

  it('lists each chat once when two nodes stored messages with the same ids in view', async () => {
    const [ada, ...others] = await newUsers(9);
    const a = await ada.connect();
    for (const { id } of others) await a.done('privateMessage', { receiverId: id, content: 'Hi' });
    await database.execute(alike, [ada.id]);
    const seen = new Set<unknown>();
    for (let page = 1; page <= others.length; page++)
      seen.add((await a.done('listLastMessage', { limit: 1, page })).data[0].receiverId);
    expect(seen).to.have.lengthOf(others.length);
  });

  it('is empty for a new user and refuses invalid params', async () => {
    const [ada] = await newUsers(1);
    const a = await ada.connect();
    expect((await a.call('listLastMessage')).params).to.deep.equal({
      data: [],
      message: null,
      senderName: null,
    });
    expect(await a.call('listLastMessage', { limit: 101 })).to.include({ code: 'BAD_REQUEST' });
    expect(await a.call('listLastMessage', { userId: 1 })).to.include({ code: 'BAD_REQUEST' });
  });
});

/** Sets equal message ids for all chats, as two nodes with the same newest id would. */
const alike = `
update chats set last_message_at = '2026-01-01', last_message_id = 1
where id in (select chat_id from chat_members where user_id = $1)
`;
