import { expect } from 'chai';
import type { Message, Push } from '../../src/client/index.ts';
import { FRESH, isMessage, membershipIn, messageFrom, ownPushOf, pushOf } from '../../src/client/pushes.ts';

const [ADA, BOB, CLEO] = [1, 2, 3];
const pushed = (type: string, params: object) => ({ type, params }) as unknown as Push;

/** A message of a group as the server returns it. */
const read = {
  ...FRESH,
  messageId: 70,
  groupId: 7,
  seq: 4,
  kind: 'text',
  senderId: BOB,
  senderName: 'Bob',
  content: 'Hi',
  createdAt: '2026-01-01T00:00:00Z',
} as unknown as Message;

const { content: _, kind: __, ...placed } = read;

describe('a push of the typed client', () => {
  it('is a message if it has a place in a chat and a time', () => {
    expect(isMessage(pushed('messageInGroup', { seq: 1, createdAt: '2026-01-01T00:00:00Z' }))).to.equal(true);
    expect(isMessage(pushed('editMessage', { seq: 1 }))).to.equal(false);
    expect(isMessage(pushed('updateProfile', { createdAt: '2026-01-01T00:00:00Z' }))).to.equal(false);
  });

  it('has the fields of the message that it is', () => {
    const { event: _, ...fields } = placed;
    const push = pushed('messageInGroup', { ...fields, data: null, message: 'Hi' });
    expect(messageFrom(push)).to.deep.equal(read);
    const reactions = [{ emoji: '👍', count: 2 }];
    const [reaction] = messageFrom(
      pushed('messageInGroup', { ...fields, message: 'Hi', reactions }),
    ).reactions;
    expect(reaction).to.deep.equal({ emoji: '👍', count: 2, own: false });
  });

  it('of an event in a group has no field of the event in its message', () => {
    const event = { type: 'addUserInGroup', userId: CLEO };
    const push = pushed('addUserInGroup', {
      ...placed,
      ...event,
      event,
      data: null,
      message: 'Bob added Cleo',
    });
    expect(messageFrom(push)).to.deep.equal({ ...read, kind: 'system', content: 'Bob added Cleo', event });
  });

  it('is made of a message that was read, without the empty fields', () => {
    expect(pushOf(read)).to.deep.equal({
      type: 'messageInGroup',
      params: {
        data: null,
        message: 'Hi',
        messageId: 70,
        groupId: 7,
        seq: 4,
        senderId: BOB,
        senderName: 'Bob',
        createdAt: '2026-01-01T00:00:00Z',
      },
    });
    const { groupId: _, ...dialog } = read as Message & { groupId?: number };
    expect(pushOf({ ...dialog, receiverId: ADA, silent: true, content: '' } as Message)).to.deep.include({
      type: 'privateMessage',
    });
  });

  it('is made of a stored event, with the type and the fields of the event', () => {
    const event = { type: 'addUserInGroup', userId: CLEO };
    const { type, params } = pushOf({ ...read, kind: 'system', event } as unknown as Message);
    expect(type).to.equal('addUserInGroup');
    expect(params).to.deep.include({ userId: CLEO, event, seq: 4, message: 'Hi' });
    expect(params).not.to.have.property('type');
  });

  it('is made of an own message, without the id of the request', () => {
    const own = ownPushOf({ ...read, clientMessageId: 'a' });
    expect(own.type).to.equal('messageInGroup');
    expect(own.params).to.include({ message: 'Hi', seq: 4 });
    expect(own.params).not.to.have.any.keys('clientMessageId', 'content');
  });
});

describe('the membership of a user in the typed client', () => {
  const begins = ['newGroup', 'addUserInGroup', 'joinGroup', 'joinByInvite'];
  const ends = ['leaveGroup', 'removeUserFromGroup', 'banUser', 'deleteGroup'];

  it('begins and ends with the pushes about that user', () => {
    for (const type of begins)
      expect(membershipIn(pushed(type, { userId: ADA }), ADA), type).to.equal('begins');
    for (const type of ends) expect(membershipIn(pushed(type, { userId: ADA }), ADA), type).to.equal('ends');
    expect(membershipIn(pushed('setMemberRole', { userId: ADA }), ADA)).to.equal(undefined);
  });

  it('does not change with pushes about others', () => {
    for (const type of [...begins, ...ends])
      expect(membershipIn(pushed(type, { userId: BOB }), ADA), type).to.equal(undefined);
  });

  it('begins with a push about several users, and ends with one about all', () => {
    const added = pushed('addUserInGroup', { userId: BOB, userIds: [BOB, ADA] });
    expect(membershipIn(added, ADA)).to.equal('begins');
    expect(membershipIn(added, CLEO)).to.equal(undefined);
    expect(membershipIn(pushed('deleteGroup', {}), ADA)).to.equal('ends');
  });
});
