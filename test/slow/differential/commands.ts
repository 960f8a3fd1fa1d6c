import fc from 'fast-check';
import { http } from '../../support/harness.ts';
import { kind, type Participant } from './kind.ts';
import { back, chat, contentOf, custom, group, maybe, message, text, user } from './params.ts';
import type { ChatName, Known, Slot } from './world.ts';

/* All commands with a visible effect. */

const { constantFrom, boolean, nat, record } = fc;

const addressOf = ({ world }: Participant, name: ChatName) => world.address(name);
const messageId = ({ world, person }: Participant, { chat, back }: { chat: ChatName; back: number }) =>
  world.message(person, chat, back)?.messageId;

/** True often enough for commands that few users may run. */
const mostly = fc.oneof(
  { weight: 3, arbitrary: fc.constant(true) },
  { weight: 1, arbitrary: fc.constant(false) },
);

/** Returns the creator of a group, or the user of the params. */
const ownerOr = (actor: Participant, group: Slot, byOwner: boolean): Participant => {
  const owner = byOwner && actor.world.owners.get(group);
  return owner ? actor.as(owner) : actor;
};

/** A command on one of the groups and one of the users. */
const inGroup = (
  weight: number,
  type: 'addUserInGroup' | 'removeUserFromGroup' | 'banUser' | 'unbanUser' | 'transferOwnership',
) =>
  kind(weight, record({ group, user, byOwner: mostly }), (actor, { group, user, byOwner }) => {
    const groupId = actor.world.groups.get(group);
    const { call, world } = ownerOr(actor, group, byOwner);
    return groupId && call(type, { groupId, userId: world.person(user).user.id });
  });

const aloneInGroup = (weight: number, type: 'joinGroup' | 'leaveGroup' | 'deleteGroup') =>
  kind(weight, record({ group }), ({ world, call }, { group }) => {
    const groupId = world.groups.get(group);
    return groupId && call(type, { groupId });
  });

const onUser = (weight: number, type: 'blockUser' | 'unblockUser') =>
  kind(weight, record({ user }), ({ world, person, call }, { user }) => {
    return user !== person.name && call(type, { userId: world.person(user).user.id });
  });

/** Returns the author of a message, or the user of the params. */
const authorOr = (actor: Participant, known: Known, byAuthor: boolean): Participant =>
  byAuthor ? actor.as(known.author) : actor;

const onMessage = (weight: number, type: 'deleteMessage' | 'pinMessage' | 'unpinMessage') =>
  kind(weight, record({ ...message, byAuthor: boolean() }), (actor, { chat, back, byAuthor }) => {
    const known = actor.world.message(actor.person, chat, back);
    return known && authorOr(actor, known, byAuthor).call(type, { messageId: known.messageId });
  });

const withEmoji = (weight: number, type: 'addReaction' | 'removeReaction') =>
  kind(weight, record({ ...message, emoji: constantFrom('👍', '❤️') }), (actor, given) => {
    const id = messageId(actor, given);
    return id && actor.call(type, { messageId: id, emoji: given.emoji });
  });

const toPosition = (weight: number, type: 'markRead' | 'markDelivered') =>
  kind(weight, record(message), (actor, given) => {
    const address = addressOf(actor, given.chat);
    const known = actor.world.message(actor.person, given.chat, given.back);
    return address && known && actor.call(type, { ...address, seq: known.seq });
  });

const options = record({
  silent: maybe(constantFrom(true as const), 4),
  custom: maybe(custom, 4),
  reply: maybe(back, 4),
  /** The messages that others may have written meanwhile: with 0, the known newest one is the condition. */
  after: maybe(nat(2), 4),
});

export const commands = {
  send: kind(12, record({ chat, ...text, options }), (actor, { chat, options, ...text }) => {
    const address = addressOf(actor, chat);
    if (!address) return;
    const { silent, custom, reply, after } = options;
    const replyTo =
      reply === undefined ? undefined : actor.world.message(actor.person, chat, reply)?.messageId;
    const newest = actor.world.message(actor.person, chat, 0)?.seq ?? 0;
    const params = {
      content: contentOf(actor.world, text),
      ...(silent && { silent }),
      ...(custom && { custom }),
      ...(replyTo && { replyTo }),
      ...(after !== undefined && { ifSeq: newest + after }),
    };
    return address.groupId === undefined
      ? actor.call('privateMessage', { ...address, ...params })
      : actor.call('messageInGroup', { ...address, ...params });
  }),

  burst: kind(
    2,
    record({ chat, count: constantFrom(5, 10, 20, 60), ...text }),
    (actor, { chat, count, ...text }) => {
      const address = addressOf(actor, chat);
      const contents = Array.from({ length: count }, (_, n) => `${contentOf(actor.world, text)} ${n}`);
      return address && actor.world.burst(actor.person, address, contents);
    },
  ),

  forward: kind(4, record({ ...message, to: chat, silent: boolean() }), (actor, { to, silent, ...from }) => {
    const id = messageId(actor, from);
    const address = addressOf(actor, to);
    return (
      id && address && actor.call('forwardMessage', { ...address, messageId: id, ...(silent && { silent }) })
    );
  }),

  edit: kind(
    8,
    record({ ...message, ...text, custom: maybe(fc.option(custom), 1), byAuthor: mostly }),
    (actor, { chat, back, text, mentions, custom, byAuthor }) => {
      const known = actor.world.message(actor.person, chat, back);
      const content = contentOf(actor.world, { text, mentions });
      const change = { content, ...(custom !== undefined && { custom }) };
      return (
        known &&
        authorOr(actor, known, byAuthor).call('editMessage', { messageId: known.messageId, ...change })
      );
    },
  ),

  delete: onMessage(5, 'deleteMessage'),
  react: withEmoji(4, 'addReaction'),
  unreact: withEmoji(3, 'removeReaction'),
  pin: onMessage(3, 'pinMessage'),
  unpin: onMessage(2, 'unpinMessage'),
  markRead: toPosition(6, 'markRead'),
  markDelivered: toPosition(2, 'markDelivered'),

  markUnread: kind(3, record({ chat }), (actor, { chat }) => {
    const address = addressOf(actor, chat);
    return address && actor.call('markUnread', address);
  }),

  mute: kind(
    3,
    record({ chat, muted: mostly, for: maybe(constantFrom(200, 700, 3_600_000)) }),
    (actor, { chat, muted, for: milliseconds }) => {
      const address = addressOf(actor, chat);
      const until = milliseconds && muted && new Date(Date.now() + milliseconds).toISOString();
      return address && actor.call('muteChat', { ...address, muted, ...(until && { until }) });
    },
  ),

  pinChat: kind(2, record({ chat, pinned: mostly }), (actor, { chat, pinned }) => {
    const address = addressOf(actor, chat);
    return address && actor.call('pinChat', { ...address, pinned });
  }),

  archiveChat: kind(2, record({ chat, archived: mostly }), (actor, { chat, archived }) => {
    const address = addressOf(actor, chat);
    return address && actor.call('archiveChat', { ...address, archived });
  }),

  newGroup: kind(
    2,
    record({
      ...{ group, name: nat(99), users: fc.subarray([...(['Ada', 'Bob', 'Cleo', 'Dan'] as const)]) },
      ...{ isPrivate: boolean(), historyFrom: constantFrom('beginning' as const, 'joining' as const) },
    }),
    ({ world, person, client }, { group, name, users, ...settings }) => {
      const userIds = users.map((user) => world.person(user).user.id).filter((id) => id !== person.user.id);
      const params = { groupName: `group ${name}`, ...settings, ...(userIds.length > 0 && { userIds }) };
      return world.newGroup(person, client, group, params);
    },
  ),

  add: inGroup(6, 'addUserInGroup'),
  remove: inGroup(3, 'removeUserFromGroup'),
  ban: inGroup(2, 'banUser'),
  unban: inGroup(2, 'unbanUser'),
  transfer: inGroup(1, 'transferOwnership'),
  join: aloneInGroup(5, 'joinGroup'),
  leave: aloneInGroup(3, 'leaveGroup'),
  deleteGroup: aloneInGroup(1, 'deleteGroup'),

  invite: kind(1, record({ group }), async ({ world, call }, { group }) => {
    const groupId = world.groups.get(group);
    const made = groupId && (await call('createInvite', { groupId }));
    if (made) world.invites.set(group, made.data.code);
  }),

  joinByInvite: kind(2, record({ group }), ({ world, call }, { group }) => {
    const code = world.invites.get(group);
    return code !== undefined && call('joinByInvite', { code });
  }),

  updateGroup: kind(
    3,
    record({
      group,
      groupName: maybe(nat(99)),
      historyFrom: maybe(constantFrom('beginning' as const, 'joining' as const)),
      ...{ isPrivate: boolean(), byOwner: mostly },
    }),
    (actor, { group, groupName, historyFrom, isPrivate, byOwner }) => {
      const { world, call } = ownerOr(actor, group, byOwner);
      const groupId = world.groups.get(group);
      const changes = {
        isPrivate,
        ...(groupName !== undefined && { groupName: `group ${groupName}` }),
        ...(historyFrom && { historyFrom }),
      };
      return groupId && call('updateGroup', { groupId, ...changes });
    },
  ),

  role: kind(
    2,
    record({ group, user, role: constantFrom('admin' as const, 'member' as const), byOwner: mostly }),
    (actor, { group, user, role, byOwner }) => {
      const { world, call } = ownerOr(actor, group, byOwner);
      const groupId = world.groups.get(group);
      return groupId && call('setMemberRole', { groupId, userId: world.person(user).user.id, role });
    },
  ),

  block: onUser(3, 'blockUser'),
  unblock: onUser(5, 'unblockUser'),

  setPresence: kind(2, record({ invisible: boolean() }), ({ call }, params) => call('setPresence', params)),

  updateProfile: kind(
    1,
    record({ displayName: maybe(constantFrom('A', 'B')) }),
    ({ call }, { displayName = null }) => call('updateProfile', { displayName }),
  ),

  rename: kind(2, record({ name: nat(999) }), ({ world, person }, { name }) => {
    const username = `${person.user.username}-${name}`;
    const change = http('PATCH', '/users/me', {
      ...{ url: world.site.urls[0], token: person.user.token, body: { username } },
    }).then(({ status }) => {
      if (status === 200) person.username = username;
    });
    return world.during(
      `${person.name}: rename`,
      change.catch(() => {}),
    ); // the node is unreachable
  }),

  deleteAccount: kind(0.2, fc.constant({}), ({ world, person }) => {
    const { password, token } = person.user;
    person.isGone = true;
    const change = http('DELETE', '/users/me', { url: world.site.urls[0], token, body: { password } });
    return world.during(
      `${person.name}: deleteAccount`,
      change.catch(() => {}),
    ); // the node is unreachable
  }),
};
