import { expect } from 'chai';
import { database, newClients, newGroup, type Person } from '../support/harness.ts';

const rowOf = async ({ client }: Person, address: object) => (await client.done('getChat', address)).data;

describe('getChat', () => {
  it('returns the row of the list, for both users of a dialog and for a group', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('messageInGroup', { groupId, content: `for @${bob.username}` });
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    await bob.client.done('muteChat', { groupId, muted: true });
    const rows = (await bob.client.done('listLastMessage')).data;
    expect(rows).to.have.length(2);
    expect([await rowOf(bob, { receiverId: ada.id }), await rowOf(bob, { groupId })]).to.deep.equal(rows);
    expect(rows[1]).to.include({ groupId, seq: 3, unreadCount: 1, mentionCount: 1, muted: true });
    expect(await rowOf(ada, { receiverId: bob.id })).to.include({ seq: 1, unreadCount: 0, readSeq: 1 });
  });

  it('returns null for a dialog without messages, and for notes to oneself before the first one', async () => {
    const [ada, bob] = await newClients(2);
    expect(await rowOf(ada, { receiverId: bob.id })).to.equal(null);
    expect(await rowOf(ada, { receiverId: ada.id })).to.equal(null);
    await bob.client.done('blockUser', { userId: ada.id });
    expect(await ada.client.refused('privateMessage', { receiverId: bob.id, content: 'x' })).to.equal(
      'FORBIDDEN',
    );
    for (const [one, other] of [
      [ada, bob],
      [bob, ada],
    ] as const)
      expect(await rowOf(one, { receiverId: other.id })).to.equal(null);
  });

  it('refuses unknown users, groups of others, and deleted groups', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client);
    for (const [person, address, code] of [
      [bob, { groupId }, 'NOT_A_MEMBER'],
      [bob, { groupId: 999_999_999 }, 'NOT_FOUND'],
      [bob, { receiverId: 999_999_999 }, 'NOT_FOUND'],
      [bob, {}, 'BAD_REQUEST'],
      [bob, { groupId, receiverId: ada.id }, 'BAD_REQUEST'],
    ] as const)
      expect(await person.client.refused('getChat', address)).to.equal(code);
    await ada.client.done('deleteGroup', { groupId });
    expect(await ada.client.refused('getChat', { groupId })).to.equal('NOT_FOUND');
  });

  it('changes nothing: a chat marked as unread stays marked', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    await bob.client.done('markRead', { receiverId: ada.id, seq: 1 });
    await bob.client.done('markUnread', { receiverId: ada.id });
    const { nextCursor: cursor } = await bob.client.done('sync', { fromNow: true });
    for (let times = 0; times < 2; times++)
      expect(await rowOf(bob, { receiverId: ada.id })).to.include({ markedUnread: true, unreadCount: 0 });
    expect((await bob.client.done('sync', { cursor })).data).to.deep.equal([]);
  });

  it('counts every message up to its seq while messages arrive', async () => {
    const [ada, bob] = await newClients(2);
    const content = `@${bob.username}`;
    const sends = Array.from({ length: 100 }, () =>
      ada.client.done('privateMessage', { receiverId: bob.id, content }),
    );
    let reading = true;
    const seen: number[] = [];
    const read = async () => {
      while (reading) {
        const [row, { data }] = await Promise.all([
          rowOf(bob, { receiverId: ada.id }),
          bob.client.done('sync', { limit: 1 }),
        ]);
        if (!row) continue;
        expect([row.unreadCount, row.mentionCount]).to.deep.equal([row.seq, row.seq]);
        const [chat] = data;
        expect([chat.unreadCount, chat.mentionCount]).to.deep.equal([chat.lastSeq, chat.lastSeq]);
        seen.push(row.seq);
      }
    };
    const reader = read();
    await Promise.all(sends);
    reading = false;
    await reader;
    expect(await rowOf(bob, { receiverId: ada.id })).to.include({ seq: 100, unreadCount: 100 });
  });
});

describe('markRead', () => {
  it('returns the seq up to which it counted, and whether the chat is still marked as unread', async () => {
    const [ada, bob] = await newClients(2);
    const write = () => ada.client.done('privateMessage', { receiverId: bob.id, content: 'x' });
    for (let n = 0; n < 3; n++) await write();
    const markRead = async (seq: number) =>
      (await bob.client.done('markRead', { receiverId: ada.id, seq })).data;
    const counts = { mentionCount: 0, lastSeq: 3 };
    expect(await markRead(2)).to.deep.equal({ readSeq: 2, unreadCount: 1, markedUnread: false, ...counts });

    await bob.client.done('markUnread', { receiverId: ada.id });
    const unread = { readSeq: 2, unreadCount: 1, markedUnread: true, ...counts };
    expect(await markRead(1), 'from a device with older state').to.deep.equal(unread);
    expect(await rowOf(bob, { receiverId: ada.id })).to.include({ markedUnread: true });
    expect(await markRead(2)).to.deep.equal({ ...unread, markedUnread: false });
    await write();
    expect(await markRead(3)).to.include({ unreadCount: 1, lastSeq: 4 });
  });
});

describe('the reply to a send', () => {
  it('names the mentioned users, also for a repeat, and no field without mentions', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const message = { groupId, content: `@${bob.username} @nobody`, clientMessageId: 'once' };
    const first = await ada.client.done('messageInGroup', message);
    expect(first.mentions).to.deep.equal([bob.id]);
    expect((await bob.client.push('messageInGroup')).params.mentions).to.deep.equal([bob.id]);
    expect(await ada.client.done('messageInGroup', message)).to.deep.equal(first);
    expect(await ada.client.done('messageInGroup', { ...message, content: 'x' })).to.deep.equal(first);
    const plain = { groupId, content: 'plain', clientMessageId: 'plain' };
    const reply = await ada.client.done('messageInGroup', plain);
    expect(reply).not.to.have.property('mentions');
    const repeat = await ada.client.done('messageInGroup', { ...plain, content: message.content });
    expect(repeat).to.deep.equal(reply);
    const note = await ada.client.done('privateMessage', {
      receiverId: bob.id,
      content: `Hi @${bob.username}`,
    });
    expect(note.mentions).to.deep.equal([bob.id]);
  });
});

describe('the reply to a change of a message', () => {
  const changes = [
    ['editMessage', { content: 'new', custom: { a: 1 } }, { custom: { a: 1 } }],
    ['editMessage', { content: 'new' }, { custom: { a: 1 } }],
    ['addReaction', { emoji: '👍' }, { count: 1 }],
    ['removeReaction', { emoji: '👍' }, { count: 0 }],
    ['pinMessage', {}, {}],
    ['unpinMessage', {}, {}],
    ['deleteMessage', {}, {}],
    ['deleteMessage', {}, {}],
  ] as const;

  it('names the chat: the other user, or the group', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    for (const [type, address] of [
      ['privateMessage', { receiverId: bob.id }],
      ['messageInGroup', { groupId }],
    ] as const) {
      const { messageId, seq } = await ada.client.done(type, { ...address, content: 'old' });
      for (const [change, params, fields] of changes)
        expect(await ada.client.done(change, { messageId, ...params }), change).to.deep.include({
          ...{ seq, ...address },
          ...fields,
        });
    }
  });

  it('names the other user, whichever of the two is the author, and the user alone for a note to oneself', async () => {
    const [ada, bob] = await newClients(2);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'x' });
    expect(await bob.client.done('pinMessage', { messageId })).to.include({ receiverId: ada.id, seq: 1 });
    const note = await ada.client.done('privateMessage', { receiverId: ada.id, content: 'x' });
    const pinned = await ada.client.done('pinMessage', { messageId: note.messageId });
    expect(pinned).to.include({ receiverId: ada.id, seq: 1 });
  });
});

describe('the time of sync', () => {
  it('is the time of the database, on every page', async () => {
    const [ada, bob] = await newClients(2);
    for (let n = 0; n < 3; n++) await ada.client.done('privateMessage', { receiverId: bob.id, content: 'x' });
    const clock = async () =>
      (await database.query<{ now: Date }>('select clock_timestamp() as now', []))[0]?.now.getTime() ?? 0;
    let cursor: string | undefined;
    for (const params of [{ fromNow: true }, { limit: 2 }, { limit: 2 }]) {
      const before = await clock();
      const page = await bob.client.done('sync', { ...params, ...(cursor && { cursor }) });
      expect(Date.parse(page.time)).to.be.within(before, await clock());
      cursor = 'fromNow' in params ? undefined : page.nextCursor;
    }
  });
});
