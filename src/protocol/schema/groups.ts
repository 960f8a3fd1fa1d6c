import { type TProperties, Type } from 'typebox';
import { ChangedMeanwhile, Event } from './messages.ts';
import { Custom, GroupName, Id, Nullable, Sent, Text, Time } from './types.ts';

/* What commands take and give about groups. */

const Description = Text(0, 1000, 'Purpose of the group');
export const Role = Type.Enum(['owner', 'admin', 'member']);
const Audience = Type.Enum(['members', 'admins'], { description: 'admins: the owner and the admins' });
const SlowMode = Type.Integer({
  minimum: 0,
  maximum: 86_400,
  description:
    'Minimum number of seconds between two messages of a member; does not apply to admins; 0 disables it',
});
const HistoryFrom = Type.Enum(['beginning', 'joining'], {
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

export const Group = Type.Object({
  groupId: Id,
  groupName: Type.String({ description: 'Name of the group' }),
  description: Nullable(Type.String()),
  isPrivate: Type.Boolean(),
  whoMayAdd: Audience,
  whoMayPost: Audience,
  slowModeSeconds: SlowMode,
  historyFrom: HistoryFrom,
  custom: Nullable(Custom),
  memberCount: Type.Integer(),
  createdAt: Time,
  role: Nullable({ ...Role, description: 'Role of this user; null if not a member' }),
});

export const Invite = Type.Object({
  inviteId: Id,
  groupId: Id,
  code: Type.String({ description: 'Code for joinByInvite' }),
  createdBy: Id,
  expiresAt: Nullable(Time),
  maxUses: Nullable(Type.Integer()),
  uses: Type.Integer(),
  createdAt: Time,
});

/** The place of the system message of a change; empty if the change had been made before. */
export const Changed = Type.Partial(Sent);

/** Fields of a push about a group: the system message, its sender, and more. */
export const groupEvent = <Properties extends TProperties>(properties: Properties) =>
  Type.Object({
    ...Sent.properties,
    senderId: Id,
    groupId: Id,
    event: { ...Event, description: 'The event as getMessages returns it in the history' },
    ...ChangedMeanwhile,
    ...properties,
  });
