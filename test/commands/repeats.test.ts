import { expect } from 'chai';
import type { CommandName } from '../../src/client/protocol.ts';
import { commands } from '../../src/commands/registry.ts';
import type { ErrorCode } from '../../src/protocol/errors.ts';
import type { Frame } from '../support/client.ts';
import { connectAs, newClients, newGroup, type RunningServer, startServer } from '../support/harness.ts';
import { type ActorName, newScene, type Scene, traces } from '../support/scene.ts';
import * as on from '../support/scene-params.ts';

interface Row {
  readonly params: on.Build;
  readonly who: ActorName;
  /** Commands that would affect the other connection when both send them at the same time. */
  readonly endsConnections?: true;
}

const row = (params: on.Build, who: ActorName = 'owner'): Row => ({ params, who });
const clientMessageId = 'once';
const emoji = { emoji: '👍' };

const reacted: on.Build = async (scene) => {
  const params = { messageId: scene.group.messageId, ...emoji };
  await scene.actor.client.done('addReaction', params);
  return params;
};

/** The commands that the client repeats after a broken connection, with params as it sends them. */
const table: Partial<Record<CommandName, Row>> = {
  newGroup: row(({ groupId }) => ({ groupName: `New ${groupId}`, isPrivate: false, clientMessageId })),
  messageInGroup: row(on.group({ content: 'x', clientMessageId })),
  privateMessage: row(on.dialog({ content: 'x', clientMessageId })),
  forwardMessage: row(on.both(on.message('group'), on.dialog({ clientMessageId }))),
  editMessage: row(on.ownMessage('group', { content: 'x' })),
  deleteMessage: row(on.ownMessage('group')),
  addReaction: row(on.message('group', emoji)),
  removeReaction: row(reacted),
  pinMessage: row(on.message('group')),
  unpinMessage: row(on.pinnedMessage('group')),
  reportMessage: row(on.message('group', { reason: 'spam' })),
  markRead: row(on.group({ seq: 1 }), 'member'),
  markDelivered: row(on.group({ seq: 1 }), 'member'),
  markUnread: row(on.group()),
  muteChat: row(on.group({ muted: true })),
  archiveChat: row(on.group({ archived: true })),
  pinChat: row(on.group({ pinned: true })),
  updateGroup: row(({ groupId }) => ({
    ...{ groupId, groupName: `Named ${groupId}`, isPrivate: false, custom: { a: [1, { b: null }] } },
  })),
  deleteGroup: row(on.group()),
  joinGroup: row(on.whereAllMayJoin(on.group()), 'outsider'),
  setMemberRole: row(on.member('friend', { role: 'admin' })),
  transferOwnership: row(on.member('friend')),
  banUser: row(on.member('friend', { reason: 'spam' })),
  unbanUser: row(on.banned),
  revokeInvite: row(on.invite),
  joinByInvite: row(on.inviteCode, 'outsider'),
  updateProfile: row(() => ({ about: 'x', custom: { a: 1 } })),
  blockUser: row(on.friend),
  unblockUser: row(on.friend, 'blocked'),
  subscribePresence: row(on.people),
  unsubscribePresence: row(on.people),
  setPresence: row(() => ({ invisible: true })),
  endSession: { ...row(on.ownSession), endsConnections: true },
  endOtherSessions: { ...row(() => ({})), endsConnections: true },
};

/** Returns an answer without the position of the system message, which is absent when nothing changed. */
function settled({ type, success, code, params }: Frame): object {
  if (params?.seq === undefined || params.clientMessageId) return { type, success, code, params };
  const { messageId, seq, createdAt, ...rest } = params;
  return { type, success, code, params: rest };
}

const isSend = ({ params }: { params: object }) => 'clientMessageId' in params;

describe('a command that is sent again over another node', function () {
  this.timeout(60_000);
  let other: RunningServer;
  before(async () => {
    other = await startServer();
  });
  after(() => other.close());

  it('is in the table if the client sends it again', () => {
    const repeated = commands.filter(({ reads, repeatable }) => repeatable && !reads);
    expect(Object.keys(table)).to.have.members(repeated.map(({ type }) => type));
  });

  it('takes a clientMessageId in the table if it stores a message', async () => {
    const scene = await newScene('owner');
    for (const { type, storesMessage } of commands) {
      const params = await table[type]?.params(scene);
      expect(isSend({ params: params ?? {} }), type).to.equal(storesMessage);
    }
  });

  for (const [type, { params: build, who, endsConnections }] of Object.entries(table)) {
    it(`${type} gets the same answer as the first time, and changes nothing more`, async () => {
      const scene = await newScene(who);
      const params = await build(scene);
      const { nextCursor } = await scene.friend.client.done('sync', { fromNow: true });
      const first = await scene.actor.client.call(type, params);
      expect(first.code, first.message).to.equal(undefined);
      const seen = await seenBy(scene, nextCursor);

      const again = await (await connectAs(scene.actor.token, other.url)).call(type, params);
      if (isSend({ params })) expect(again.params).to.deep.equal(first.params);
      expect(settled(again)).to.deep.equal(settled(first));
      expect(await seenBy(scene, nextCursor)).to.deep.equal(seen);
    });

    if (endsConnections) continue;
    it(`${type} gets the same answer from both nodes at the same time`, async () => {
      const scene = await newScene(who);
      const clients = [scene.actor.client, await connectAs(scene.actor.token, other.url)];
      const params = await build(scene);
      const [one, two] = await Promise.all(clients.map((client) => client.call(type, params)));
      expect([one.code, two.code]).to.deep.equal([undefined, undefined]);
      if (isSend({ params })) expect(two.params).to.deep.equal(one.params);
      expect(settled(two)).to.deep.equal(settled(one));
    });
  }

  it('deleteGroup fails with NOT_FOUND for all but the user who deleted the group', async () => {
    const [ada, bob, eve] = await newClients(3);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('deleteGroup', { groupId });
    await ada.client.done('deleteGroup', { groupId });
    for (const { client } of [bob, eve])
      expect(await client.refused('deleteGroup', { groupId })).to.equal('NOT_FOUND');

    const left = await newGroup(ada.client);
    await ada.client.done('leaveGroup', { groupId: left });
    expect(await ada.client.refused('deleteGroup', { groupId: left })).to.equal('NOT_FOUND');
  });

  it('is answered whatever has happened to the message or the group since', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const { messageId } = await ada.client.done('messageInGroup', { groupId, content: 'on' });
    const done = [
      ['forwardMessage', { messageId, receiverId: ada.id, clientMessageId }],
      ['reportMessage', { messageId, reason: 'spam' }],
      ['createInvite', { groupId, clientInviteId: 'once' }],
    ] as const;
    const answers = [];
    for (const [type, params] of done) answers.push(await bob.client.done(type, params));
    await ada.client.done('deleteMessage', { messageId });
    await bob.client.done('leaveGroup', { groupId });
    const elsewhere = await bob.connect(other.url);
    for (const [n, [type, params]] of done.entries())
      expect(await elsewhere.done(type, params), type).to.deep.equal(answers[n]);
  });
});

/** Commands that are not repeatable: the refusal of the second request; without a refusal, they run again. */
const others: Partial<Record<CommandName, Row & { readonly refusal?: ErrorCode }>> = {
  addUserInGroup: { ...row(on.member('guest')), refusal: 'ALREADY_A_MEMBER' },
  leaveGroup: { ...row(on.group(), 'member'), refusal: 'NOT_A_MEMBER' },
  removeUserFromGroup: { ...row(on.member('friend')), refusal: 'NOT_FOUND' },
  createInvite: row(on.group()),
  sendEvent: row(on.group({ event: 'wave' })),
  typing: row(on.group({ typing: true })),
};

describe('a command that is not repeatable', () => {
  it('is in the table', () => {
    const types = commands.filter(({ repeatable }) => !repeatable).map(({ type }) => type);
    expect(Object.keys(others)).to.have.members(types);
  });

  for (const [type, { params: build, who, refusal }] of Object.entries(others))
    it(`${type} is ${refusal ? 'refused' : 'done once more'} when it is sent again`, async () => {
      const scene = await newScene(who);
      const { actor, friend } = scene;
      const params = await build(scene);
      const first = await actor.client.done(type, params);
      await friend.client.rest();
      const again = await actor.client.call(type, params);
      if (refusal) return expect(again.code).to.equal(refusal);
      expect(again.code).to.equal(undefined);
      if (first.data) return expect(again.params).not.to.deep.equal(first);
      expect((await friend.client.rest()).map((push) => push.type)).to.deep.equal([type]);
    });
});

/** Returns the state that the friend sees, as long as the group exists. */
async function seenBy(scene: Scene, cursor: string) {
  const { owner, groupId } = scene;
  const isThere = !(await owner.client.call('getGroup', { groupId })).error;
  if (isThere) return traces(scene, cursor);
  return (await scene.friend.client.done('sync', { cursor })).data;
}
