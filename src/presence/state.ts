import type { Static } from 'typebox';
import type { UserId } from '../ids.ts';
import { encodePush } from '../protocol/frames.ts';
import type { Presence } from '../protocol/schema/people.ts';

export type PresenceState = Static<typeof Presence> & { readonly userId: UserId };

/** Returns the state of a user; `lastSeenAt` is not shown of users who are online. */
export const stateOf = (userId: UserId, online: boolean, lastSeenAt: Date | null): PresenceState => ({
  userId,
  online,
  lastSeenAt: online ? null : (lastSeenAt?.toISOString() ?? null),
});

/** Returns the state of a user as those see it from whom a block hides it. */
export const hiddenState = (userId: UserId): PresenceState => stateOf(userId, false, null);

/** Returns true if a state equals what those see from whom a block hides it. */
export const looksHidden = ({ online, lastSeenAt }: PresenceState): boolean => !online && lastSeenAt === null;

/** Encodes the push of a state. */
export const encodeState = (username: string, state: PresenceState): string =>
  encodePush('subscribePresence', null, username, state);

/** Returns the key under which changes of the presence of a user run one after another. */
export const presenceKey = (userId: UserId): string => `presence:${userId}`;
