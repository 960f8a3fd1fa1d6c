import { expect } from 'chai';
import { SCOPES, type Scope } from '../../src/auth/apiKeys.ts';
import type { CommandName } from '../../src/client/protocol.ts';
import type { Command } from '../../src/commands/define.ts';
import { commands, registry } from '../../src/commands/registry.ts';
import { serviceCommands } from '../../src/commands/service/registry.ts';
import type { ErrorCode } from '../../src/protocol/errors.ts';
import { connectAs, connectService, http, newClients, positionIn, signedCursor } from '../support/harness.ts';
import {
  type ActorName,
  actors,
  DIALOG_SECRET,
  GROUP_SECRET,
  newCast,
  newScene,
  type Scene,
  traces,
} from '../support/scene.ts';
import * as on from '../support/scene-params.ts';

type Outcome = 'ok' | ErrorCode;
type Outcomes = Readonly<Record<ActorName, Outcome>>;

/** A command to try, and its outcome for each of the cast. */
interface Attempt {
  readonly outcomes: Outcomes;
  readonly params: on.Build;
  /** Allowed or not, others see no change. */
  readonly isOwn?: true;
}

const all = (outcome: Outcome) => Object.fromEntries(actors.map((who) => [who, outcome])) as Outcomes;
const outside = (outcome: Outcome) => ({ outsider: outcome, former: outcome, banned: outcome });
const inside = (outcome: Outcome) => ({ blocked: outcome, member: outcome, admin: outcome, owner: outcome });
const below = { member: 'FORBIDDEN', blocked: 'FORBIDDEN' } as const;

const members: Outcomes = { ...all('ok'), ...outside('NOT_A_MEMBER') };
const admins: Outcomes = { ...members, ...below };
const onlyOwner: Outcomes = { ...admins, admin: 'FORBIDDEN' };

// the answer does not reveal whether a named message exists
const readers: Outcomes = { ...all('ok'), ...outside('NOT_FOUND') };
const moderators: Outcomes = { ...readers, ...below };
const noReader: Outcomes = { ...inside('FORBIDDEN'), ...outside('NOT_FOUND') };

// the role in the group does not matter in dialogs
const partners: Outcomes = { ...all('ok'), outsider: 'NOT_FOUND' };
const unblocked: Outcomes = { ...all('ok'), blocked: 'FORBIDDEN' };
const unblockedPartners: Outcomes = { ...partners, blocked: 'FORBIDDEN' };
const noPartner: Outcomes = { ...all('FORBIDDEN'), outsider: 'NOT_FOUND' };

const may = (outcomes: Outcomes, params: on.Build): Attempt => ({ outcomes, params });
/** Allowed to everybody, and only affects the caller. */
const own = (params: on.Build = () => ({})): Attempt => ({ outcomes: all('ok'), params, isOwn: true });
/** The same attempts, whose effects nobody but the caller sees. */
const inPrivate = (attempts: readonly Attempt[]): Attempt[] =>
  attempts.map((attempt) => ({ ...attempt, isOwn: true }));

const inBoth = (rest: object = {}) => [may(members, on.group(rest)), may(partners, on.dialog(rest))];
const reading = (rest: object = {}) => [
  may(readers, on.message('group', rest)),
  may(partners, on.message('dialog', rest)),
];
const emoji = { emoji: '👍' };
const reacting = [
  may(readers, on.message('group', emoji)),
  may(unblockedPartners, on.message('dialog', emoji)),
];

/** Every command, tried by each of the cast. */
const table: Readonly<Record<CommandName, readonly Attempt[]>> = {
  listLastMessage: [own()],
  getlatestMessageDialog: [own(on.dialog())],
  getlatestMessageGroup: [may(members, on.group())],
  newGroup: [
    own(() => ({ groupName: 'Mine' })),
    may(unblocked, ({ friend }) => ({ groupName: 'Ours', userIds: [friend.id] })),
  ],
  addUserInGroup: [
    may({ ...members, blocked: 'FORBIDDEN' }, on.member('guest')),
    may(admins, on.where({ whoMayAdd: 'admins' }, on.member('guest'))),
    may({ ...outside('NOT_A_MEMBER'), ...inside('ALREADY_A_MEMBER') }, on.member('friend')),
  ],
  leaveGroup: [may(members, on.group())],
  messageInGroup: [
    may(members, on.group({ content: 'x' })),
    may(admins, on.where({ whoMayPost: 'admins' }, on.group({ content: 'x' }))),
    may(all('NOT_FOUND'), on.replyToGroup(on.ownGroup)),
  ],
  privateMessage: [
    may(unblocked, on.dialog({ content: 'x' })),
    may({ ...all('NOT_FOUND'), blocked: 'FORBIDDEN' }, on.replyToGroup(on.dialog())),
  ],

  getChat: [may(members, on.group()), own(on.dialog())],
  getMessages: inBoth(),
  getMessagesAround: reading(),
  getMessage: reading(),
  getThread: reading(),
  editMessage: [
    may(readers, on.ownMessage('group', { content: 'x' })),
    may(unblockedPartners, on.ownMessage('dialog', { content: 'x' })),
    may(noReader, on.message('group', { content: 'x' })),
    may(noPartner, on.message('dialog', { content: 'x' })),
  ],
  listEdits: reading(),
  deleteMessage: [
    may(readers, on.ownMessage('group')),
    may(unblockedPartners, on.ownMessage('dialog')),
    may(moderators, on.message('group')),
    may(noPartner, on.message('dialog')),
  ],
  addReaction: reacting,
  removeReaction: reacting,
  pinMessage: [may(moderators, on.message('group')), may(unblockedPartners, on.message('dialog'))],
  unpinMessage: [
    may(moderators, on.pinnedMessage('group')),
    may(unblockedPartners, on.pinnedMessage('dialog')),
  ],
  listPins: inBoth(),
  forwardMessage: [
    may({ ...readers, blocked: 'FORBIDDEN' }, on.both(on.message('group'), on.dialog())),
    may({ ...members, outsider: 'NOT_FOUND' }, on.both(on.message('dialog'), on.group())),
  ],
  reportMessage: inPrivate(reading({ reason: 'spam' })),
  sendEvent: [
    may(members, on.group({ event: 'wave' })),
    may(admins, on.where({ whoMayPost: 'admins' }, on.group({ event: 'wave' }))),
    may(unblockedPartners, on.dialog({ event: 'wave' })),
  ],

  markRead: inBoth({ seq: 1 }),
  markDelivered: inBoth({ seq: 1 }),
  getReceipts: reading(),
  markUnread: inBoth(),
  muteChat: inBoth({ muted: true }),
  archiveChat: inBoth({ archived: true }),
  pinChat: inBoth({ pinned: true }),
  typing: inBoth({ typing: true }),

  searchMessages: [
    own(on.whenIndexed(() => ({ query: GROUP_SECRET }))),
    own(on.whenIndexed(() => ({ query: DIALOG_SECRET, order: 'relevance' }))),
    may(members, on.group({ query: GROUP_SECRET })),
    may(partners, on.dialog({ query: DIALOG_SECRET })),
  ],
  sync: [own()],

  getGroup: [may(members, on.group()), own(on.whereAllMayJoin(on.group()))],
  listGroups: [own(), own(() => ({ query: GROUP_SECRET }))],
  updateGroup: [may(admins, on.group({ description: 'x' }))],
  deleteGroup: [may(onlyOwner, on.group())],
  joinGroup: [
    may({ ...all('ok'), ...outside('FORBIDDEN') }, on.group()),
    may({ ...all('ok'), banned: 'FORBIDDEN' }, on.whereAllMayJoin(on.group())),
  ],
  listGroupMembers: [may(members, on.group())],
  setMemberRole: [may(onlyOwner, on.member('friend', { role: 'admin' }))],
  transferOwnership: [may(onlyOwner, on.member('friend'))],
  removeUserFromGroup: [may(admins, on.member('friend'))],
  banUser: [may(admins, on.member('friend')), may(admins, on.member('guest'))],
  unbanUser: [may(admins, on.banned)],
  createInvite: [may(members, on.group()), may(admins, on.where({ whoMayAdd: 'admins' }, on.group()))],
  listInvites: [may(members, on.group())],
  revokeInvite: [may(admins, on.invite)],
  joinByInvite: [may({ ...all('ok'), banned: 'FORBIDDEN' }, on.inviteCode)],

  getProfile: [own(), own(on.friend)],
  updateProfile: [own(() => ({ about: 'x' }))],
  searchUsers: [own(() => ({ query: 'f' }))],
  listUsers: [own()],
  blockUser: [own(on.friend)],
  unblockUser: [own(on.friend)],
  listBlockedUsers: [own()],

  getPresence: [own(on.people)],
  subscribePresence: [own(on.people)],
  unsubscribePresence: [own(on.people)],
  setPresence: [own(() => ({ invisible: true }))],

  listSessions: [own()],
  endSession: [own(on.ownSession), may(all('NOT_FOUND'), on.foreignSession)],
  endOtherSessions: [own()],
  ping: [own()],
};

async function attempt(type: string, who: ActorName, scene: Scene, { outcomes, params, isOwn }: Attempt) {
  const { actor, friend } = scene;
  const outcome = outcomes[who];
  const sent = await params(scene);
  const { nextCursor } = await friend.client.done('sync', { fromNow: true });
  const isTraceless = isOwn || outcome !== 'ok' || registry.get(type)?.reads;
  const before = isTraceless && (await traces(scene, nextCursor));

  const reply = await actor.client.call(type, sent);
  const answer = JSON.stringify(reply);
  const what = `${who}: ${type} ${JSON.stringify(sent)}: ${answer}`;
  expect(reply.code ?? 'ok', what).to.equal(outcome);
  if (isTraceless) expect(await traces(scene, nextCursor), what).to.deep.equal(before);
  if (who in outside('ok')) expect(answer, what).not.to.include(GROUP_SECRET);
  if (who === 'outsider') expect(answer, what).not.to.include(DIALOG_SECRET);
}

/** Runs one attempt after another: the friend is in all scenes of a cast. */
async function attemptAll(type: string, row: Attempt) {
  const cast = await newCast();
  const scenes = await Promise.all(actors.map((who) => newScene(who, cast)));
  for (const [index, who] of actors.entries()) await attempt(type, who, scenes[index] as Scene, row);
}

describe('a command', () => {
  for (const { type } of commands)
    it(`${type} is allowed to the users of its row, and changes nothing when it reads or is refused`, async () => {
      expect(table, 'no row').to.have.property(type);
      await Promise.all(table[type].map((row) => attemptAll(type, row)));
    });
});

/** Returns whether a command has one of these params. */
const takes = ({ params }: Pick<Command, 'params'>, ...names: readonly string[]) =>
  names.some((name) => Object.hasOwn(params.properties, name));

/** Builds the params of all attempts of a row that name the group, or the message of `friend` in it. */
async function paramsInGroup(type: CommandName, scene: Scene): Promise<object[]> {
  const { groupId, group } = scene;
  const built: { groupId?: number; messageId?: number }[] = [];
  for (const { params } of table[type]) built.push(await params(scene));
  return built.filter(
    (params) => params.groupId === groupId || [group.messageId, group.ownId].includes(params.messageId ?? 0),
  );
}

/** The outcomes of the service commands with the scope that each needs, for params that name nobody. */
const serviceTable: Readonly<Record<(typeof serviceCommands)[number]['type'], readonly [object, Outcome]>> = {
  upsertUsers: [{ users: [{ externalId: 'authorized' }] }, 'ok'],
  getUsers: [{ users: [{ externalId: 'nobody' }] }, 'ok'],
  disableUsers: [{ users: [{ externalId: 'nobody' }] }, 'NOT_FOUND'],
  deleteUsers: [{ users: [{ externalId: 'nobody' }] }, 'NOT_FOUND'],
  revokeTokens: [{ users: [{ externalId: 'nobody' }] }, 'NOT_FOUND'],
  createToken: [{ user: { externalId: 'nobody' } }, 'NOT_FOUND'],
  listEvents: [{ fromNow: true }, 'ok'],
  subscribeEvents: [{ consumer: 'authorized' }, 'ok'],
  acknowledgeEvents: [{ consumer: 'authorized', cursor: 'of nobody' }, 'BAD_REQUEST'],
  ping: [{}, 'ok'],
};

describe('a service command', () => {
  const scopes = Object.keys(SCOPES) as Scope[];
  for (const { type, scope } of serviceCommands) {
    const [params, outcome] = serviceTable[type];
    it(`${type} is allowed to a service with its scope, and to nobody else`, async () => {
      const service = await connectService(...(scope ? [scope] : []));
      expect((await service.call(type, params)).code ?? 'ok').to.equal(outcome);
      const other = await connectService(...scopes.filter((one) => one !== scope));
      const reply = await other.call(type, params);
      if (scope) expect([reply.code, reply.message.includes(scope)]).to.deep.equal(['FORBIDDEN', true]);
      else expect(reply.code ?? 'ok').to.equal(outcome);
      const [ada] = await newClients(1);
      if (!registry.has(type)) expect(await ada.client.refused(type, params)).to.equal('UNKNOWN_TYPE');
    });
  }
});

describe('a command with the user of a service', () => {
  for (const command of commands)
    it(`${command.type} needs the scope act${command.isOfConnection ? ', and is refused all the same' : ''}`, async () => {
      const [ada] = await newClients(1);
      const as = { userId: ada.id };
      const scopes = (Object.keys(SCOPES) as Scope[]).filter((scope) => scope !== 'act');
      const without = await (await connectService(...scopes)).call(command.type, {}, as);
      expect([without.code, without.message.includes('act')]).to.deep.equal(['FORBIDDEN', true]);
      const reply = await (await connectService('act')).call(command.type, { unknown: 1 }, as);
      const isForbidden = reply.message.includes('cannot be sent with as');
      expect([reply.code, isForbidden]).to.deep.equal(['BAD_REQUEST', command.isOfConnection === true]);
    });
});

describe('a command as the owner of a group', () => {
  for (const command of commands)
    it(`${command.type} ${command.managesGroup ? 'needs the scope groups' : 'is refused'}`, async () => {
      const scopes = (Object.keys(SCOPES) as Scope[]).filter((scope) => scope !== 'groups');
      const without = await (await connectService(...scopes)).call(command.type, {}, 'owner');
      expect([without.code, without.message.includes('groups')]).to.deep.equal(['FORBIDDEN', true]);
      const reply = await (await connectService('groups')).call(command.type, {}, 'owner');
      expect([reply.code, reply.message.includes('is required')]).to.deep.equal([
        'BAD_REQUEST',
        command.managesGroup === true,
      ]);
    });

  it('manages groups by everything that an owner may do and a member may not, but for writing', () => {
    const isRanked = ({ outcomes }: Attempt) => outcomes.owner === 'ok' && outcomes.member === 'FORBIDDEN';
    const writing = ['messageInGroup', 'sendEvent'];
    for (const { type, managesGroup } of commands)
      if (table[type].some(isRanked))
        expect(managesGroup, type).to.equal(writing.includes(type) ? undefined : true);
  });
});

describe('a push', () => {
  for (const { type, push, ...command } of commands) {
    if (!push || !takes(command, 'groupId', 'messageId')) continue;
    it(`of ${type} reaches nobody outside the group, nor users who have left it`, async () => {
      const cast = await newCast();
      for (const who of ['former', 'banned'] as const) {
        const scene = await newScene(who, cast);
        const { owner, groupId, group } = scene;
        const { messageId: ownId } = await owner.client.done('messageInGroup', { groupId, content: 'x' });
        const outside = [cast.outsider, cast[who]];
        const params = await paramsInGroup(type, { ...scene, actor: owner, group: { ...group, ownId } });
        for (const { client } of outside) await client.rest();
        for (const built of params) await owner.client.call(type, built);
        for (const { client } of outside) expect(await client.rest(), who).to.deep.equal([]);
      }
    });
  }
});

describe('a blocked user', () => {
  it('leaves no trace with a refused message', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('blockUser', { userId: bob.id });
    const { nextCursor: cursor } = await ada.client.done('sync', { fromNow: true });
    await bob.client.refused('privateMessage', { receiverId: ada.id, content: 'x' });
    expect((await ada.client.done('sync', { cursor })).data).to.deep.equal([]);
    expect(await ada.client.rest()).to.deep.equal([]);
    for (const { client } of [ada, bob])
      for (const type of ['sync', 'listLastMessage'])
        expect((await client.done(type, {})).data, type).to.deep.equal([]);
  });

  it('sees nothing of the presence of the blocking user, with any command of the table', async () => {
    const cast = await newCast();
    const { actor, friend, groupId } = await newScene('blocked', cast);
    const { member } = cast;
    const userIds = [friend.id];
    for (const { client } of [actor, member]) await client.done('subscribePresence', { userIds });
    const custom = { mark: friend.username };
    await friend.client.done('updateProfile', { custom });
    const asked: Partial<Record<CommandName, object>> = {
      getPresence: { userIds },
      subscribePresence: { userIds },
      listGroupMembers: { groupId },
      searchUsers: { query: friend.username },
      listUsers: { custom },
      getProfile: { userId: friend.id },
    };
    const showing = commands.filter(
      ({ type, result }) => type !== 'updateProfile' && JSON.stringify(result).includes('"lastSeenAt"'),
    );
    const missing = showing.filter(({ type }) => !asked[type]);
    expect(
      missing.map(({ type }) => type),
      'not tried',
    ).to.deep.equal([]);
    for (const [type, params] of Object.entries(asked)) {
      const { data } = await actor.client.done(type, params);
      const seen = [data].flat().find(({ userId }) => userId === friend.id);
      expect(seen, type).to.include({ online: false, lastSeenAt: null });
    }
    await actor.client.rest();
    await friend.client.done('setPresence', { invisible: true });
    await member.client.push('subscribePresence');
    expect(await actor.client.rest()).to.deep.equal([]);
  });
});

describe('a new member of a group whose history begins with joining', () => {
  async function newMember() {
    const scene = await newScene('member');
    const { owner, guest, groupId, group } = scene;
    await owner.client.done('updateGroup', { groupId, historyFrom: 'joining' });
    await owner.client.done('pinMessage', { messageId: group.messageId });
    await on.whenIndexed(on.group())(scene);
    await owner.client.done('addUserInGroup', { groupId, userId: guest.id });
    await owner.client.done('setMemberRole', { groupId, userId: guest.id, role: 'admin' });
    return scene;
  }

  for (const { type, ...command } of commands) {
    if (takes(command, 'messageId'))
      it(`finds no message from before the joining by ${type}, not even as an admin`, async () => {
        const scene = await newMember();
        const params = await paramsInGroup(type, { ...scene, actor: scene.guest });
        const earlier = params.filter((built) => Object.hasOwn(built, 'messageId'));
        expect(earlier, 'the row has no message of the group').not.to.deep.equal([]);
        for (const built of earlier)
          expect(await scene.guest.client.refused(type, built)).to.equal('NOT_FOUND');
      });
    if (takes(command, 'replyTo'))
      it(`cannot reply by ${type} to a message from before the joining`, async () => {
        const { guest, friend, groupId, group } = await newMember();
        const address = takes(command, 'groupId') ? { groupId } : { receiverId: friend.id };
        const params = { ...address, content: 'x', replyTo: group.messageId };
        expect(await guest.client.refused(type, params)).to.equal('NOT_FOUND');
      });
  }

  it('sees nothing of the earlier history by any command of the table that reads', async () => {
    const scene = await newMember();
    const { guest } = scene;
    for (const { type, reads } of commands)
      for (const { params } of reads ? table[type] : []) {
        const built = await params({ ...scene, actor: guest });
        const answer = JSON.stringify(await guest.client.call(type, built));
        expect(answer, type).not.to.include(`To the ${GROUP_SECRET}`);
      }
  });

  it('sees nothing of the earlier history from the beginning, around a message, or with an earlier cursor', async () => {
    const { guest, groupId } = await newMember();
    const { messageId } = await guest.client.done('messageInGroup', { groupId, content: 'x' });
    const { nextCursor } = await guest.client.done('sync');
    const [databaseId] = positionIn(nextCursor);
    const position = [groupId, 4, 1]; // after the first message of the group
    const cursor = signedCursor('sync', guest, [databaseId, null, null, ...position]);
    for (const [type, params] of [
      ['getMessages', { groupId, afterSeq: 0 }],
      ['getMessagesAround', { messageId }],
      ['sync', { cursor }],
    ] as const) {
      const { data } = await guest.client.done(type, params);
      expect(JSON.stringify(data), type).not.to.include(`To the ${GROUP_SECRET}`);
    }
  });

  it('sees nothing of the time between leaving and joining again, not even in the middle of a sync', async () => {
    const { guest, friend, owner, groupId } = await newMember();
    const { nextCursor: cursor, more } = await guest.client.done('sync', { limit: 2 });
    expect(more).to.equal(true);
    await guest.client.done('leaveGroup', { groupId });
    await friend.client.done('messageInGroup', { groupId, content: 'meanwhile' });
    await owner.client.done('addUserInGroup', { groupId, userId: guest.id });
    const { data } = await guest.client.done('sync', { cursor });
    expect(JSON.stringify(data)).to.include('added').and.not.to.include('meanwhile');
  });
});

describe('a deleted account', () => {
  it('can use no command any more', async () => {
    const [deleted] = await newClients(1);
    await http('DELETE', '/users/me', { token: deleted.token, body: { password: deleted.password } });
    expect(await deleted.client.closed).to.equal(4401);
    expect(await connectAs(deleted.token).catch(({ status }) => status)).to.equal(401);
  });

  it('cannot be reached with any command of the table, and its messages stay', async () => {
    const [ada, deleted] = await newClients(2);
    const [userId, receiverId] = [deleted.id, deleted.id];
    const { groupId } = await ada.client.done('newGroup', { groupName: 'Ours', userIds: [userId] });
    const { messageId } = await ada.client.done('privateMessage', { receiverId, content: 'x' });
    await http('DELETE', '/users/me', { token: deleted.token, body: { password: deleted.password } });
    const [member, dialog] = [{ groupId, userId }, { receiverId }];
    const attempts: readonly (readonly [CommandName, object, Outcome])[] = [
      ['privateMessage', { ...dialog, content: 'x' }, 'NOT_FOUND'],
      ['forwardMessage', { ...dialog, messageId }, 'NOT_FOUND'],
      ['newGroup', { groupName: 'New', userIds: [userId] }, 'NOT_FOUND'],
      ['sendEvent', { ...dialog, event: 'wave' }, 'NOT_FOUND'],
      ['typing', { ...dialog, typing: true }, 'NOT_FOUND'],
      ['addUserInGroup', member, 'NOT_FOUND'],
      ['setMemberRole', { ...member, role: 'admin' }, 'NOT_FOUND'],
      ['transferOwnership', member, 'NOT_FOUND'],
      ['removeUserFromGroup', member, 'NOT_FOUND'],
      ['banUser', member, 'NOT_FOUND'],
      ['unbanUser', member, 'ok'],
      ['blockUser', { userId }, 'NOT_FOUND'],
      ['unblockUser', { userId }, 'ok'],
      ['getProfile', { userId }, 'ok'],
      ['getPresence', { userIds: [userId] }, 'ok'],
      ['subscribePresence', { userIds: [userId] }, 'ok'],
      ['unsubscribePresence', { userIds: [userId] }, 'ok'],
      ['getChat', dialog, 'ok'],
      ['getlatestMessageDialog', dialog, 'ok'],
      ['getMessages', dialog, 'ok'],
      ['listPins', dialog, 'ok'],
      ['searchMessages', { ...dialog, query: 'x' }, 'ok'],
      ['markRead', { ...dialog, seq: 1 }, 'ok'],
      ['markDelivered', { ...dialog, seq: 1 }, 'ok'],
      ['markUnread', dialog, 'ok'],
      ['muteChat', { ...dialog, muted: true }, 'ok'],
      ['archiveChat', { ...dialog, archived: true }, 'ok'],
      ['pinChat', { ...dialog, pinned: true }, 'ok'],
      ['deleteMessage', { messageId }, 'ok'],
    ];
    const tried = new Set<string>(attempts.map(([type]) => type));
    const missing = commands.filter(
      (command) => takes(command, 'userId', 'userIds', 'receiverId') && !tried.has(command.type),
    );
    expect(
      missing.map(({ type }) => type),
      'not tried',
    ).to.deep.equal([]);
    for (const [type, params, outcome] of attempts)
      expect((await ada.client.call(type, params)).code ?? 'ok', type).to.equal(outcome);
  });
});
