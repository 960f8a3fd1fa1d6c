import type { ParleyError } from './errors.ts';
import type { ChatAddress } from './protocol.ts';

/** Returns a chat as one text: `group:7`, or `user:7` for the dialog with that user. */
export function chatKey({ groupId, receiverId }: Partial<Record<keyof ChatAddress, number>>): string {
  return groupId === undefined ? `user:${receiverId}` : `group:${groupId}`;
}

/** Returns the address of a chat from its {@link chatKey}. */
export function addressOf(key: string): ChatAddress {
  const [kind, id] = key.split(':');
  return kind === 'group' ? { groupId: Number(id) } : { receiverId: Number(id) };
}

/** Returns the chat that a push or a message belongs to, as `userId` sees it; undefined if it belongs to none. */
export function addressIn(fields: object, userId: number): ChatAddress | undefined {
  const { groupId, receiverId, senderId } = fields as Record<string, number | null | undefined>;
  if (groupId) return { groupId };
  if (!receiverId || !senderId) return undefined;
  return { receiverId: senderId === userId ? receiverId : senderId };
}

/** Returns the {@link chatKey} of the chat that a push or a message belongs to; an empty text if it belongs to none. */
export function chatKeyOf(fields: object, userId: number): string {
  const address = addressIn(fields, userId);
  return address ? chatKey(address) : '';
}

/** Returns true if the server refused a chat because this user is not in it. */
export function isNotMember({ code }: ParleyError): boolean {
  return code === 'NOT_FOUND' || code === 'NOT_A_MEMBER';
}
