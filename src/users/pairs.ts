import type { Chat } from '../database/models/Chat.ts';
import type { UserId } from '../ids.ts';

/** The two people of a dialog, the lower id first; the same twice in the notes to oneself. */
export interface Pair {
  readonly low: UserId;
  readonly high: UserId;
}

export function pairOf(one: UserId, other: UserId): Pair {
  return { low: Math.min(one, other) as UserId, high: Math.max(one, other) as UserId };
}

/** Returns the other person of a dialog; oneself in the notes to oneself. */
export function otherIn({ userLow, userHigh }: Pick<Chat, 'userLow' | 'userHigh'>, userId: UserId): UserId {
  return ((userLow as number) + (userHigh as number) - userId) as UserId;
}

/** Returns the same as an expression of SQL, of a row of chats: null for a group. */
export function otherInSql(chat: string, userId: string): string {
  return `${chat}.user_low + ${chat}.user_high - ${userId}`;
}
