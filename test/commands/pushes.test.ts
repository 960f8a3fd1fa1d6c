import { expect } from 'chai';
import type { CommandName } from '../../src/client/protocol.ts';
import { commands } from '../../src/commands/registry.ts';
import type { Client } from '../support/client.ts';
import { newClients, newGroup, type Person } from '../support/harness.ts';

/** Ada, who acts, and two others; nobody has a chat yet. */
interface Cast {
  readonly ada: Person;
  readonly bob: Person;
  readonly cleo: Person;
}

/** Prepares the chats that a command needs, and returns its params. */
type Prepare = (cast: Cast) => Promise<object> | object;

const dialog =
  (params: object = {}): Prepare =>
  async ({ ada, bob }) => {
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'hi' });
    return { receiverId: bob.id, ...params };
  };
const group =
  (params: object = {}): Prepare =>
  async ({ ada, bob }) => ({ groupId: await newGroup(ada.client, bob), ...params });
const member =
  (params: object = {}): Prepare =>
  async ({ ada, bob, cleo }) => ({
    groupId: await newGroup(ada.client, bob, cleo),
    userId: cleo.id,
    ...params,
  });
const message =
  (params: object = {}, before?: string): Prepare =>
  async ({ ada, bob }) => {
    const sent = { receiverId: bob.id, content: 'mine' };
    const named = { messageId: (await ada.client.done('privateMessage', sent)).messageId, ...params };
    if (before) await ada.client.done(before, named);
    return named;
  };

/** Commands whose effect the other members of the chat, or those who know the user, learn of. */
const shared: Partial<Record<CommandName, Prepare>> = {
  privateMessage: ({ bob }) => ({ receiverId: bob.id, content: 'x' }),
  messageInGroup: group({ content: 'x' }),
  editMessage: message({ content: 'x' }),
  deleteMessage: message(),
  addReaction: message({ emoji: '👍' }),
  removeReaction: message({ emoji: '👍' }, 'addReaction'),
  pinMessage: message(),
  unpinMessage: message({}, 'pinMessage'),
  markRead: dialog({ seq: 1 }),
  markDelivered: dialog({ seq: 1 }),
  typing: dialog({ typing: true }),
  sendEvent: group({ event: 'wave' }),
  newGroup: ({ bob }) => ({ groupName: 'Ours', userIds: [bob.id] }),
  updateGroup: group({ description: 'new' }),
  deleteGroup: group(),
  leaveGroup: group(),
  joinGroup: async ({ ada, bob }) => {
    const open = { groupName: `Open to ${ada.id}`, isPrivate: false };
    return { groupId: (await bob.client.done('newGroup', open)).groupId };
  },
  joinByInvite: async ({ bob }) => {
    const { data } = await bob.client.done('createInvite', { groupId: await newGroup(bob.client) });
    return { code: data.code };
  },
  addUserInGroup: async ({ ada, bob, cleo }) => ({
    groupId: await newGroup(ada.client, bob),
    userId: cleo.id,
  }),
  removeUserFromGroup: member(),
  setMemberRole: member({ role: 'admin' }),
  transferOwnership: member(),
  banUser: member(),
  unbanUser: async (cast) => {
    const banned = await member()(cast);
    await cast.ada.client.done('banUser', banned);
    return banned;
  },
  updateProfile: async (cast) => {
    await dialog()(cast);
    return { about: 'new' };
  },
};

/** Commands whose effect only the user learns of. */
const own: Partial<Record<CommandName, Prepare>> = {
  muteChat: dialog({ muted: true }),
  archiveChat: dialog({ archived: true }),
  pinChat: dialog({ pinned: true }),
  markUnread: dialog(),
  setPresence: ({ ada, bob }) =>
    bob.client.done('subscribePresence', { userIds: [ada.id] }).then(() => ({ invisible: true })),
  blockUser: async (cast) => {
    await dialog()(cast);
    return { userId: cast.bob.id };
  },
  unblockUser: async ({ ada, bob }) => {
    await ada.client.done('blockUser', { userId: bob.id });
    return { userId: bob.id };
  },
};

/** Its pushes are caused by others. */
const others: readonly string[] = ['subscribePresence'];

/** Returns the pushes of a type that the test has not taken. */
const pushesOf = async (client: Client, type: string) =>
  (await client.rest()).filter((frame) => frame.type === type);

describe('the push of a command', () => {
  it('is tried of every command that has one', () => {
    const pushed = commands.filter(({ push }) => push).map(({ type }) => type);
    expect([...Object.keys(shared), ...Object.keys(own), ...others]).to.have.members(pushed);
  });

  for (const [type, prepare] of Object.entries({ ...shared, ...own })) {
    const isShared = type in shared;
    const whom = isShared ? 'the others and' : 'nobody but';
    it(`of ${type} reaches ${whom} the other connections of the user, once, and not the one that acts`, async () => {
      const [ada, bob, cleo] = await newClients(3);
      const params = await prepare({ ada, bob, cleo });
      const [desk, phone] = [await ada.connect(), await bob.connect()];
      const receivers = isShared ? [desk, bob.client, phone] : [desk];
      await Promise.all([ada.client, ...receivers].map((client) => client.rest()));
      await ada.client.done(type, params);
      for (const client of receivers) await client.push(type);
      for (const client of [ada.client, desk, bob.client, phone])
        expect(await pushesOf(client, type)).to.deep.equal([]);
    });
  }
});
