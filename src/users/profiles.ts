import type { Static } from 'typebox';
import type { User } from '../database/models/User.ts';
import type { UserId } from '../ids.ts';
import type { Profile } from '../protocol/schema/people.ts';
import { nameOf } from './names.ts';

/** Reads who is online, as `viewerId` may see it, in the order of the users. */
export interface PresenceReader {
  of(viewerId: UserId, userIds: readonly UserId[]): Promise<readonly OnlineState[]>;
}

type OnlineState = Pick<Static<typeof Profile>, 'online' | 'lastSeenAt'>;

/** Returns profiles as `viewerId` may see them, in the order of `users`. */
export async function profilesOf(
  presence: PresenceReader,
  viewerId: UserId,
  users: readonly User[],
): Promise<Static<typeof Profile>[]> {
  const states = await presence.of(
    viewerId,
    users.map(({ id }) => id),
  );
  return users.map((user, index) => {
    const { online, lastSeenAt } = states[index] ?? { online: false, lastSeenAt: null };
    const { id: userId, displayName, about, avatar, custom, isBot, profileVersion: version } = user;
    const createdAt = user.createdAt.toISOString();
    return {
      userId,
      username: nameOf(user),
      displayName,
      about,
      avatar,
      custom,
      isBot,
      version,
      createdAt,
      online,
      lastSeenAt,
    };
  });
}
