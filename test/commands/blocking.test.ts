import { expect } from 'chai';
import { database, newClients, newGroup } from '../support/harness.ts';
import { until } from '../support/until.ts';

describe('blockUser', () => {
  it('refuses private messages of the blocked user with FORBIDDEN and no more details', async () => {
    const [ada, bob] = await newClients(2);
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'before' });
    await ada.client.push('privateMessage');
    await ada.client.done('blockUser', { userId: bob.id });
    const { code, message } = await bob.client.call('privateMessage', {
      receiverId: ada.id,
      content: 'hello?',
    });
    expect({ code, message }).to.deep.equal({
      code: 'FORBIDDEN',
      message: 'The user is not allowed to do this',
    });
    expect(await ada.client.rest()).to.deep.equal([]);
    expect((await ada.client.done('getlatestMessageDialog', { receiverId: bob.id })).data).to.have.length(1);
  });

  it('refuses messages from its reply on in a dialog that was created at the same time', async () => {
    const [ada, bob] = await newClients(2);
    const lock = await database.dedicated();
    await lock.query('begin');
    await lock.query('lock table notices in share mode'); // the last table that a block writes to
    const blocked = ada.client.call('blockUser', { userId: bob.id });
    await until(async () => (await database.query(waitsForOutbox, [])).length > 0);
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'before' });
    await lock.query('rollback');
    await lock.end();
    expect((await blocked).success).to.equal(true);
    const message = { receiverId: ada.id, content: 'hello?' };
    expect(await bob.client.refused('privateMessage', message)).to.equal('FORBIDDEN');
  });

  it('refuses everything else that would reach the blocking user', async () => {
    const [ada, bob] = await newClients(2);
    const { messageId } = await bob.client.done('privateMessage', { receiverId: ada.id, content: 'before' });
    await ada.client.done('blockUser', { userId: bob.id });
    const attempts = [
      ['editMessage', { messageId, content: 'after all' }],
      ['addReaction', { messageId, emoji: '👍' }],
      ['pinMessage', { messageId }],
      ['forwardMessage', { messageId, receiverId: ada.id }],
      ['sendEvent', { receiverId: ada.id, event: 'poke' }],
      ['addUserInGroup', { groupId: await newGroup(bob.client), userId: ada.id }],
    ] as const;
    for (const [type, params] of attempts)
      expect(await bob.client.refused(type, params), type).to.equal('FORBIDDEN');
  });

  it('is noticed by the other user neither by a push nor by sync, not when it ends either', async () => {
    const [ada, bob] = await newClients(2);
    const desk = await ada.connect();
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'hi' });
    await ada.client.done('markRead', { receiverId: bob.id, seq: 1 });
    await Promise.all([bob.client.rest(), desk.rest()]);
    const { nextCursor: cursor } = await bob.client.done('sync', { fromNow: true });
    for (const type of ['blockUser', 'unblockUser']) {
      await ada.client.done(type, { userId: bob.id });
      expect((await desk.push(type)).params, 'own devices').to.include({ userId: bob.id });
      expect(await bob.client.rest(), type).to.deep.equal([]);
      expect((await bob.client.done('sync', { cursor })).data, type).to.deep.equal([]);
    }
  });

  it('leaves both users able to write in groups', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('blockUser', { userId: bob.id });
    await bob.client.done('messageInGroup', { groupId, content: 'still here' });
    expect((await ada.client.push('messageInGroup')).params.message).to.equal('still here');
  });

  it('hides typing and presence of the two users from each other, in groups as well', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob, cleo);
    await ada.client.done('subscribePresence', { userIds: [bob.id] });
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    await ada.client.done('blockUser', { userId: bob.id });
    expect((await ada.client.push('subscribePresence')).params).to.include({ userId: bob.id, online: false });

    await bob.client.done('typing', { groupId, typing: true });
    await bob.client.done('typing', { receiverId: ada.id, typing: true });
    await bob.client.done('setPresence', { invisible: true });
    expect((await cleo.client.push('typing')).params).to.include({ senderId: bob.id, groupId });
    expect(await ada.client.rest()).to.deep.equal([]);
    await bob.client.done('messageInGroup', { groupId, content: 'messages still come' });
    expect((await ada.client.push('messageInGroup')).params.message).to.equal('messages still come');
    for (const [one, other] of [
      [ada, bob],
      [bob, ada],
    ] as const)
      expect((await one.client.done('getPresence', { userIds: [other.id] })).data).to.deep.equal([
        { userId: other.id, online: false, lastSeenAt: null },
      ]);
  });

  it('hides from the blocked user who is typing and when, in groups as well', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob, cleo);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    await ada.client.done('blockUser', { userId: bob.id });
    await Promise.all([bob, cleo].map(({ client }) => client.rest()));
    for (const address of [{ groupId }, { receiverId: bob.id }])
      await ada.client.done('typing', { ...address, typing: true });
    expect((await cleo.client.push('typing')).params).to.include({ senderId: ada.id, groupId });
    expect(await bob.client.rest()).to.deep.equal([]);
  });

  it('leaves the blocking user free to react, to delete and to add the other to a group', async () => {
    const [ada, bob] = await newClients(2);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    const groupId = await newGroup(ada.client);
    await ada.client.done('blockUser', { userId: bob.id });
    await ada.client.done('addReaction', { messageId, emoji: '👍' });
    await ada.client.done('addUserInGroup', { groupId, userId: bob.id });
    await ada.client.done('deleteMessage', { messageId });
  });

  it('leaves the answer to a deletion that is repeated as it was', async () => {
    const [ada, bob] = await newClients(2);
    const { messageId } = await bob.client.done('privateMessage', { receiverId: ada.id, content: 'hi' });
    const first = await bob.client.done('deleteMessage', { messageId });
    await ada.client.done('blockUser', { userId: bob.id });
    expect(await bob.client.done('deleteMessage', { messageId })).to.deep.equal(first);
  });

  it('hides from both users how far the other has read', async () => {
    const [ada, bob] = await newClients(2);
    for (const [one, other] of [
      [ada, bob],
      [bob, ada],
    ] as const)
      await one.client.done('privateMessage', { receiverId: other.id, content: 'Hi' });
    await ada.client.done('blockUser', { userId: bob.id });
    const desk = await ada.connect();
    await Promise.all([ada.client.rest(), bob.client.rest()]);
    await ada.client.done('markRead', { receiverId: bob.id, seq: 2 });
    expect((await desk.push('markRead')).params.seq).to.equal(2);
    expect(await bob.client.rest()).to.deep.equal([]);
    await bob.client.done('markDelivered', { receiverId: ada.id, seq: 1 });
    expect(await ada.client.rest()).to.deep.equal([]);
  });

  it('accepts a repeat, pushes to own devices, and refuses oneself and unknown users', async () => {
    const [ada, bob] = await newClients(2);
    const other = await ada.connect();
    await ada.client.done('blockUser', { userId: bob.id });
    await ada.client.done('blockUser', { userId: bob.id });
    expect((await other.push('blockUser')).params.userId).to.equal(bob.id);
    const { data } = await ada.client.done('listBlockedUsers');
    expect(data).to.have.length(1);
    expect(data[0]).to.include({ userId: bob.id, username: bob.username });
    expect(await ada.client.refused('blockUser', { userId: ada.id })).to.equal('BAD_REQUEST');
    expect(await ada.client.refused('blockUser', { userId: 999_999_999 })).to.equal('NOT_FOUND');
  });
});

describe('unblockUser', () => {
  it('changes no dialog when many blocks end at once, as with the deletion of an account', async () => {
    const [ada, bob] = await newClients(2);
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'Hi' });
    await ada.client.done('blockUser', { userId: bob.id });
    await database.transaction(async (writing) => {
      await database.query(
        'select from chats where user_low in ($1, $2) for update',
        [ada.id, bob.id],
        writing,
      );
      expect(
        await database.execute('delete from blocks where user_id = $1 returning user_id', [ada.id]),
      ).to.have.length(1);
    });
  });

  it('allows messages again, and leaves all other blocks of the user', async () => {
    const [ada, bob, cleo] = await newClients(3);
    await ada.client.done('blockUser', { userId: cleo.id });
    await cleo.client.done('blockUser', { userId: bob.id });
    await ada.client.done('blockUser', { userId: bob.id });
    for (let times = 0; times < 2; times++) await ada.client.done('unblockUser', { userId: bob.id });
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'thanks' });
    for (const [who, blocked] of [
      [ada, cleo],
      [cleo, bob],
    ] as const) {
      const { data } = await who.client.done('listBlockedUsers');
      expect(data.map(({ userId }: { userId: number }) => userId)).to.deep.equal([blocked.id]);
    }
  });
});

const waitsForOutbox = `select from pg_locks where not granted and relation = 'notices'::regclass`;
