import { Type } from 'typebox';
import { ChatState, OtherPositions } from './chats.ts';
import { Group, Role } from './groups.ts';
import { Message } from './messages.ts';
import { ProfileVersion } from './people.ts';
import { Id, UserName } from './types.ts';

const { role: _, groupId, ...group } = Group.properties;
const chat = {
  receiverId: Type.Optional(Type.Integer({ ...Id, description: 'The other person of a dialog' })),
  groupId: Type.Optional(groupId),
};

/** Something that is different from what the client knew: always the state of now, so that a repeat is harmless. */
export const Change = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('message'),
      message: Message,
      isNew: Type.Boolean({
        description: 'True: the message is new since the cursor; false: it changed since then',
      }),
    },
    { description: 'A message that is new, or was edited, deleted, reacted to, pinned or unpinned' },
  ),
  Type.Object(
    {
      kind: Type.Literal('chat'),
      ...chat,
      group: Type.Optional(Type.Object(group)),
      role: Role,
      lastSeq: Type.Integer({
        description:
          'seq of the newest message; the counts and positions include all messages up to it, including those that this sync returns',
      }),
      ...ChatState,
      otherReadSeq: Type.Optional(OtherPositions.otherReadSeq),
      otherDeliveredSeq: Type.Optional(OtherPositions.otherDeliveredSeq),
    },
    { description: 'A chat that is new for this user, or whose settings, receipts or counts changed' },
  ),
  Type.Object(
    { kind: Type.Literal('member'), groupId, userId: Id, username: UserName, role: Role },
    { description: 'A user joined a group, or has a new role' },
  ),
  Type.Object(
    { kind: Type.Literal('memberLeft'), groupId, userId: Id },
    { description: 'A user left a group' },
  ),
  Type.Object(
    { kind: Type.Literal('user'), userId: Id, username: UserName, version: ProfileVersion },
    {
      description:
        'A user has a new username, or was deleted: this user, a user who shares a chat with this user, or one who has left a group of this user. These changes come first',
    },
  ),
  Type.Object(
    { kind: Type.Literal('left'), groupId },
    { description: 'This user is no longer a member of the group' },
  ),
]);
