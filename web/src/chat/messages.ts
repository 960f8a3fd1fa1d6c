import type { ChatMessage } from '../../../src/client/index.ts';
import { isSameDay } from '../time.ts';

/** Maximum milliseconds between two messages of one author of which the second is shown without the author. */
const CONTINUES_WITHIN = 5 * 60_000;

/** Returns true if a message is the first of its day. */
export function startsDay(
  previous: Pick<ChatMessage, 'createdAt'> | undefined,
  { createdAt }: Pick<ChatMessage, 'createdAt'>,
): boolean {
  return !previous || !isSameDay(previous.createdAt, createdAt);
}

type Authored = Pick<ChatMessage, 'kind' | 'senderId' | 'createdAt'>;

/** Returns true if a message follows one of the same author, and is shown without repeating the author. */
export function continuesPrevious(previous: Authored | undefined, message: Authored): boolean {
  if (!previous || previous.kind === 'system' || previous.senderId !== message.senderId) return false;
  const elapsed = Date.parse(message.createdAt) - Date.parse(previous.createdAt);
  return elapsed < CONTINUES_WITHIN && !startsDay(previous, message);
}

/** Returns the newest message that this user may edit. */
export function lastEditable<Message extends Pick<ChatMessage, 'isOwn' | 'kind' | 'deletedAt' | 'messageId'>>(
  messages: readonly Message[],
): Message | undefined {
  return messages.findLast(
    ({ isOwn, kind, deletedAt, messageId }) => isOwn && kind === 'text' && !deletedAt && messageId > 0,
  );
}

/** Returns the `seq` of the first unread message; null if everything was read. */
export function firstUnreadOf(
  messages: readonly Pick<ChatMessage, 'seq' | 'kind'>[],
  readSeq: number,
  unreadCount: number,
): number | null {
  if (unreadCount === 0) return null;
  return messages.find(({ seq, kind }) => seq > readSeq && kind === 'text')?.seq ?? null;
}
