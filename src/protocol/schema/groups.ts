import { type TProperties, Type } from 'typebox';
import { ChangedMeanwhile, Event } from './messages.ts';
import { Custom, described, GroupName, Id, Nullable, Sent, Text, Time } from './types.ts';

/* What commands take and give about groups. */

const Description = Text(0, 1000, 'Purpose of the group');
export const Role = Type.Enum(['owner', 'admin', 'member'], {
  title: 'Role',
  description: 'Role of a member of a group',
});
export const Audience = Type.Enum(['members', 'admins'], {
  title: 'Audience',
  description: 'Those who may do something in a group; admins: the owner and the admins',
});
const SlowMode = Type.Integer({
  title: 'SlowMode',
  minimum: 0,
  maximum: 86_400,
  description:
    'Minimum number of seconds between two messages of a member; does not apply to admins; 0 disables it',
});
const HistoryFrom = Type.Enum(['beginning', 'joining'], {
  title: 'HistoryFrom',
  description: 'Beginning of the history for users who join from now on',
});

/** Properties of a group that can be changed. */
export const GroupSettings = {
  groupName: Type.Optional(GroupName),
  description: Type.Optional(Nullable(Description)),
  isPrivate: Type.Optional(
    Type.Boolean({
      description: 'If false, users can find the group with listGroups and join it with joinGroup',
    }),
  ),
  whoMayAdd: Type.Optional(Audience),
  whoMayPost: Type.Optional(Audience),
  slowModeSeconds: Type.Optional(SlowMode),
  historyFrom: Type.Optional(HistoryFrom),
  custom: Type.Optional(Nullable(Custom)),
};

export const Group = Type.Object(
  {
    groupId: Id.group,
    groupName: Type.String({ description: 'Name of the group' }),
    description: Nullable(Type.String({ description: 'Purpose of the group' })),
    isPrivate: Type.Boolean({ description: 'True if it is not listed, and joined only by invites' }),
    whoMayAdd: Audience,
    whoMayPost: Audience,
    slowModeSeconds: SlowMode,
    historyFrom: HistoryFrom,
    custom: Nullable(Custom),
    memberCount: Type.Integer({ description: 'Number of members' }),
    createdAt: Time,
    role: Nullable(Role, 'Role of this user; null if not a member'),
  },
  { title: 'Group', description: 'A group as this user sees it' },
);
const { role: _, ...shared } = Group.properties;
/** A group as it is for everybody. */
export const SharedGroup = Type.Object(shared, {
  title: 'SharedGroup',
  description: 'A group, without what differs between its members',
});

export const Invite = Type.Object(
  {
    inviteId: Id.invite,
    groupId: Id.group,
    code: Type.String({ description: 'Code for joinByInvite' }),
    createdBy: Id.user,
    expiresAt: Nullable(described(Time, 'null if it does not expire')),
    maxUses: Nullable(Type.Integer({ description: 'Number of users who can join with it; null: unlimited' })),
    uses: Type.Integer({ description: 'Number of users who joined with it' }),
    createdAt: Time,
  },
  { title: 'Invite', description: 'An invite to a group' },
);

/** The place of the system message of a change; empty if the change had been made before. */
export const Changed = Type.Partial(Sent, {
  title: 'Changed',
  description: 'Where the system message of the change was stored; empty if the change had been made before',
});

/** Fields of a push about a group: the system message, its sender, and more. */
export const groupEvent = <Properties extends TProperties>(
  properties: Properties,
  naming?: { title: string; description: string },
) =>
  Type.Object(
    {
      ...Sent.properties,
      senderId: described(Id.user, 'The acting user'),
      groupId: Id.group,
      event: Event,
      ...ChangedMeanwhile,
      ...properties,
    },
    naming,
  );

/** The same with nothing more. */
export const GroupEvent = groupEvent({}, { title: 'GroupEvent', description: 'An event of a group' });

/** The same of an event about one user. */
export const MemberEvent = groupEvent(
  { userId: described(Id.user, 'The user whom the event is about') },
  { title: 'Member', description: 'An event about a member of a group, or somebody who is none' },
);
