import type { ChatAddress, Message, Push } from './protocol.ts';

/** One name for a chat: `group:7`, or `user:7` for the dialog with that user. */
export function chatKey({ groupId, receiverId }: Partial<Record<keyof ChatAddress, number>>): string {
  return groupId === undefined ? `user:${receiverId}` : `group:${groupId}`;
}

/** The chat that a push or a message belongs to, as `userId` sees it; undefined for what is in none. */
export function addressIn(fields: object, userId: number): ChatAddress | undefined {
  const { groupId, receiverId, senderId } = fields as Record<string, number | null | undefined>;
  if (typeof groupId === 'number') return { groupId };
  if (typeof receiverId !== 'number' || typeof senderId !== 'number') return undefined;
  return { receiverId: senderId === userId ? receiverId : senderId };
}

export function keyOf(fields: object, userId: number): string | undefined {
  const address = addressIn(fields, userId);
  return address && chatKey(address);
}

/** What a message has that nothing was added to, and nothing happened to. */
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

/** A message that was read, as it is pushed late: with what has become of it. */
export function pushOf(message: Message): Push {
  const { content, senderName, messageId, seq, createdAt, senderId, receiverId, groupId, event } = message;
  const { version, editedAt, deletedAt, reactions, pinned } = message;
  const place = {
    messageId,
    seq,
    createdAt,
    senderId,
    ...(groupId === undefined ? { receiverId } : { groupId }),
    ...(version && {
      version,
      reactions,
      ...(editedAt && { editedAt }),
      ...(deletedAt && { deletedAt }),
      ...(pinned && { pinned }),
    }),
  };
  const params = { data: null, message: content, senderName, ...place };
  if (event) {
    const { type, ...happened } = event;
    return { type, params: { ...params, ...happened } } as unknown as Push;
  }
  const { replyTo, silent, custom, mentions, forwardedFrom } = message;
  const extras = {
    ...(replyTo !== null && { replyTo }),
    ...(silent && { silent }),
    ...(custom && { custom }),
    ...(mentions.length > 0 && { mentions }),
    ...(forwardedFrom !== null && { forwardedFrom }),
  };
  const type = groupId === undefined ? 'privateMessage' : 'messageInGroup';
  return { type, params: { ...params, ...extras } } as Push;
}
