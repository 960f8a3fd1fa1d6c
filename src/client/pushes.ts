import type { Message, Params, Push, PushName } from './protocol.ts';

/** The fields of a message without extras that was never changed. */
export const FRESH = {
  version: 0,
  editedAt: null,
  deletedAt: null,
  replyTo: null,
  silent: false,
  custom: null,
  mentions: [],
  forwardedFrom: null,
  forwardedFromName: null,
  reactions: [],
  pinned: false,
  event: null,
} satisfies Partial<Message>;

/** Returns true if a push is a message, with a place in its chat: then it has the time of its creation. */
export function isMessage({ params }: Push): boolean {
  return 'createdAt' in params && 'seq' in params;
}

/** Returns the type of the command that sends a message to a chat, and of its push. */
export function sendType({
  groupId,
}: {
  readonly groupId?: number | undefined;
}): 'messageInGroup' | 'privateMessage' {
  return groupId === undefined ? 'privateMessage' : 'messageInGroup';
}

/** The fields that a system message has in common with its push, which also has fields of the event. */
const SYSTEM_FIELDS = [
  'messageId',
  'seq',
  'version',
  'senderId',
  'senderName',
  'createdAt',
  'editedAt',
  'deletedAt',
  'pinned',
  'event',
];

/** Returns the message that a push is about, with the same fields as one that is read. */
export function messageFrom({ type, params }: Push): Message {
  const {
    data: _,
    message: content,
    receiverId,
    groupId,
    reactions = [],
    ...fields
  } = params as PlacedParams;
  const isText = type === 'privateMessage' || type === 'messageInGroup';
  const present: Partial<Message> = Object.fromEntries(
    Object.entries(fields).filter(([name]) => isText || SYSTEM_FIELDS.includes(name)),
  );
  return {
    ...FRESH,
    ...present,
    content,
    ...(groupId === undefined ? { receiverId } : { groupId }),
    kind: isText ? 'text' : 'system',
    // Those of this user are known of a message that this client has read.
    reactions: reactions.map((reaction) => ({ own: false, ...reaction })),
  } as Message;
}

type PlacedParams = Push<'messageInGroup'>['params'] & { receiverId?: number };

/** Returns a message that was read as the server pushes it late: in its present state, without empty fields. */
export function pushOf({ content, kind: _, event, ...fields }: Message): Push {
  const has = Object.entries(fields).filter(([, value]) => value && (value as unknown[]).length !== 0);
  const { type = sendType(fields), ...happened } = event ?? {};
  const params = {
    data: null,
    message: content,
    ...Object.fromEntries(has),
    ...(event && { event }),
    ...happened,
  };
  return { type, params } as unknown as Push;
}

/** Returns the push of a message that this client sent, from the params and the result of the command. */
export function ownPushOf(
  sent: Partial<Message> & Pick<Params<'messageInGroup'>, 'clientMessageId' | 'ifSeq'>,
): Push {
  const { content, clientMessageId: _, ifSeq: __, ...fields } = sent;
  return { type: sendType(fields), params: { ...fields, data: null, message: content } } as unknown as Push;
}

/** The pushes that add users to a group, or remove them: the named users, or all if none are named. */
const MEMBERSHIP: { readonly [Name in PushName]?: 'begins' | 'ends' } = {
  newGroup: 'begins',
  addUserInGroup: 'begins',
  joinGroup: 'begins',
  joinByInvite: 'begins',
  leaveGroup: 'ends',
  removeUserFromGroup: 'ends',
  banUser: 'ends',
  deleteGroup: 'ends',
};

/** Returns `begins` if a push adds a user to its group, `ends` if it removes the user, otherwise undefined. */
export function membershipIn({ type, params }: Push, userId: number): 'begins' | 'ends' | undefined {
  const { userId: target = userId, userIds = [] } = params as { userId?: number; userIds?: number[] };
  return target === userId || userIds.includes(userId) ? MEMBERSHIP[type] : undefined;
}
