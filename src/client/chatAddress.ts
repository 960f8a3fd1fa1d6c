import { ParleyError } from './errors.ts';
import type { ChatAddress } from './protocol.ts';

/** One name for a chat: `group:7`, or `user:7` for the dialog with that user. */
export function chatKey({ groupId, receiverId }: Partial<Record<keyof ChatAddress, number>>): string {
  return groupId === undefined ? `user:${receiverId}` : `group:${groupId}`;
}

/** The chat that a {@link chatKey} names. */
export function addressOf(key: string): ChatAddress {
  const [kind, id] = key.split(':');
  return kind === 'group' ? { groupId: Number(id) } : { receiverId: Number(id) };
}

/** The chat that a push or a message belongs to, as `userId` sees it; undefined for what is in none. */
export function addressIn(fields: object, userId: number): ChatAddress | undefined {
  const { groupId, receiverId, senderId } = fields as Record<string, number | null | undefined>;
  if (typeof groupId === 'number') return { groupId };
  if (typeof receiverId !== 'number' || typeof senderId !== 'number') return undefined;
  return { receiverId: senderId === userId ? receiverId : senderId };
}

export function chatKeyOf(fields: object, userId: number): string | undefined {
  const address = addressIn(fields, userId);
  return address && chatKey(address);
}

/** Returns true for the refusal of a chat that this user is not in. */
export function isForOthers(error: unknown): boolean {
  return error instanceof ParleyError && (error.code === 'NOT_FOUND' || error.code === 'NOT_A_MEMBER');
}
