import { Type } from 'typebox';
import { ChatState, OtherPositions } from './chats.ts';
import { Group, Role } from './groups.ts';
import { Message } from './messages.ts';
import { ProfileVersion } from './people.ts';
import { described, Id, UserName } from './types.ts';

const { role: _, groupId, ...properties } = Group.properties;
const chat = {
  receiverId: Type.Optional(described(Id.user, 'The other person of a dialog')),
  groupId: Type.Optional(groupId),
};
/** The properties of a group, beside its id. */
export const GroupProperties = Type.Object(properties, {
  title: 'GroupProperties',
  description: 'In a group: its properties',
});
const kind = <Kind extends string>(name: Kind) =>
  Type.Literal(name, { description: 'The kind of the change' });

/** Something that is different from what the client knew: always the state of now, so that a repeat is harmless. */
export const Change = Type.Union(
  [
    Type.Object(
      {
        kind: kind('message'),
        message: Message,
        isNew: Type.Boolean({
          description: 'True: the message is new since the cursor; false: it changed since then',
        }),
      },
      {
        title: 'MessageChange',
        description: 'A message that is new, or was edited, deleted, reacted to, pinned or unpinned',
      },
    ),
    Type.Object(
      {
        kind: kind('chat'),
        ...chat,
        group: Type.Optional(GroupProperties),
        role: Role,
        lastSeq: Type.Integer({
          description:
            'seq of the newest message; the counts and positions include all messages up to it, including those that this sync returns',
        }),
        ...ChatState,
        otherReadSeq: Type.Optional(OtherPositions.otherReadSeq),
        otherDeliveredSeq: Type.Optional(OtherPositions.otherDeliveredSeq),
      },
      {
        title: 'ChatChange',
        description: 'A chat that is new for this user, or whose settings, receipts or counts changed',
      },
    ),
    Type.Object(
      { kind: kind('member'), groupId, userId: Id.user, username: UserName, role: Role },
      { title: 'MemberChange', description: 'A user joined a group, or has a new role' },
    ),
    Type.Object(
      { kind: kind('memberLeft'), groupId, userId: Id.user },
      { title: 'MemberLeftChange', description: 'A user left a group' },
    ),
    Type.Object(
      { kind: kind('user'), userId: Id.user, username: UserName, version: ProfileVersion },
      {
        title: 'UserChange',
        description:
          'A user has a new username, or was deleted: this user, a user who shares a chat with this user, or one who has left a group of this user. These changes come first',
      },
    ),
    Type.Object(
      { kind: kind('left'), groupId },
      { title: 'LeftChange', description: 'This user is no longer a member of the group' },
    ),
  ],
  {
    title: 'Change',
    description: 'A change that `sync` returns: one of these kinds, always in the present state',
  },
);
