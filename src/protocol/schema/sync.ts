import { Type } from 'typebox';
import { ChatState, OtherPositions } from './chats.ts';
import { Group, Role } from './groups.ts';
import { Message } from './messages.ts';
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
      isNew: Type.Boolean({ description: 'It was not there the last time; false: it changed since' }),
    },
    { description: 'A message that is new, or was edited, deleted, reacted to, pinned or taken down' },
  ),
  Type.Object(
    {
      kind: Type.Literal('chat'),
      ...chat,
      group: Type.Optional(Type.Object(group)),
      role: Role,
      lastSeq: Type.Integer({
        description:
          'Of the newest message; the counts and positions include every message up to it, those that this sync brings as well',
      }),
      ...ChatState,
      otherReadSeq: Type.Optional(OtherPositions.otherReadSeq),
      otherDeliveredSeq: Type.Optional(OtherPositions.otherDeliveredSeq),
    },
    { description: 'A chat one came into, or whose settings, receipts or counts changed' },
  ),
  Type.Object(
    { kind: Type.Literal('member'), groupId, userId: Id, username: UserName, role: Role },
    { description: 'Somebody came into a group, or has another role' },
  ),
  Type.Object(
    { kind: Type.Literal('memberLeft'), groupId, userId: Id },
    { description: 'Somebody left a group' },
  ),
  Type.Object(
    { kind: Type.Literal('user'), userId: Id, username: UserName },
    {
      description:
        'Somebody has another username, or was deleted: this user, somebody who shares a chat, or has left a group this user is in. These come first',
    },
  ),
  Type.Object(
    { kind: Type.Literal('left'), groupId },
    { description: 'This user is not in the group any more' },
  ),
]);
