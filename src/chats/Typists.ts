import type { ChatId, UserId } from '../ids.ts';
import { lruCache } from '../lruCache.ts';

/** Seconds without a further push after which a receiver considers typing as ended. */
export const TYPING_SECONDS = 6;

/** Members from which typing pushes in a group are limited. */
export const MANY_MEMBERS = 200;
/** Maximum typists shown at a time in such a group. */
export const SHOWN_TYPISTS = 5;
/** Seconds between two typing pushes of the same typist. */
export const SHOWN_AGAIN_SECONDS = 2;

/** Groups whose typists are remembered; beyond that, the least recently active are dropped. */
const MAX_GROUPS = 10_000;

/**
 * Limits the typing pushes of large groups on this node. Otherwise thousands of typists would be pushed to thousands of
 * members, although an application shows only a few names. With these limits, a group of 10,000 receives at most 25,000
 * frames per second.
 */
export class Typists {
  /** The time of the last push of each typist, in milliseconds. */
  readonly #shown = lruCache<ChatId, Map<UserId, number>>(MAX_GROUPS);

  /** Returns true if the beginning or end of typing of a member is pushed; `now` is in milliseconds. */
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
