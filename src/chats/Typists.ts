import { LRUCache } from 'lru-cache';
import type { ChatId, UserId } from '../ids.ts';

/** Seconds after which a receiver takes somebody who said nothing more for no longer typing. */
export const TYPING_SECONDS = 6;

/** Members from which on typing in a group is bounded. */
export const MANY_MEMBERS = 200;
/** Of them those who are shown at a time. */
export const SHOWN_TYPISTS = 5;
/** Seconds within which somebody who is shown is not shown again. */
export const SHOWN_AGAIN_SECONDS = 2;

/** Groups that somebody types in; of more, those that were quiet for longest are forgotten. */
const MAX_GROUPS = 10_000;

/**
 * Bounds who is shown as typing in large groups, on this node. Each of thousands who type would be pushed to thousands,
 * to be seen by nobody: an application has room for a few names. With these bounds a group of 10,000 gets at most 25,000
 * frames a second.
 */
export class Typists {
  /** When each was shown last, in milliseconds. */
  readonly #shown = new LRUCache<ChatId, Map<UserId, number>>({ max: MAX_GROUPS });

  /** Returns whether it is pushed to a group of so many that a member types, or has stopped; `now` in milliseconds. */
  accepts(
    { id, memberCount }: { readonly id: ChatId; readonly memberCount: number },
    userId: UserId,
    typing: boolean,
    now: number,
  ): boolean {
    if (memberCount < MANY_MEMBERS) return true;
    const shown = this.#shown.get(id) ?? new Map<UserId, number>();
    for (const [other, at] of shown) if (now - at > TYPING_SECONDS * 1000) shown.delete(other);
    const last = shown.get(userId);
    if (!typing) return shown.delete(userId);
    if (last === undefined ? shown.size >= SHOWN_TYPISTS : now - last < SHOWN_AGAIN_SECONDS * 1000)
      return false;
    shown.set(userId, now);
    this.#shown.set(id, shown);
    return true;
  }
}
