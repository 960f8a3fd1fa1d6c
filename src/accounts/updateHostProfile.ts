import type { Transaction } from 'sequelize';
import type { HostToken } from '../auth/hostTokens.ts';
import type { Publisher } from '../bus/bus.ts';
import type { KeyedQueue } from '../bus/KeyedQueue.ts';
import { reconcileEverywhere } from '../bus/outbox.ts';
import { databaseNow } from '../database/clock.ts';
import type { Database } from '../database/database.ts';
import type { HostClaims } from '../database/models/User.ts';
import type { UserId } from '../ids.ts';
import { foldedUser } from '../text/foldedColumns.ts';
import { contactsOf } from '../users/contacts.ts';
import { chatsNaming, profileOf, publishName, publishProfile } from '../users/publishProfile.ts';
import { usernamesLike, withFreeNames } from './freeNames.ts';
import { changesSince, type HostProfile } from './hostProfile.ts';

export interface HostAccountServices {
  readonly db: Database;
  readonly bus: Publisher;
  /** Runs changes of the same profile one after another, each including its push. */
  readonly changes: KeyedQueue;
}

/** Returns true if a token has other claims than the last one that was not older. */
export function isNews(seen: HostClaims | null, { issuedAt }: HostToken, profile: HostProfile): boolean {
  if (seen !== null && issuedAt < seen.issuedAt) return false;
  return Object.keys(changesSince(seen ?? {}, profile)).length > 0;
}

/** Changes the profile of an account to the claims of a token, and publishes it. */
export async function updateHostProfile(
  { db, bus, changes: queue }: HostAccountServices,
  userId: UserId,
  token: HostToken,
  profile: HostProfile,
): Promise<void> {
  /** Locks the account and compares again: another node may have changed it. */
  const change = async (
    transaction: Transaction,
    username: string | undefined,
    email: string | undefined,
  ) => {
    const user = await db.users.findByPk(userId, { transaction, lock: transaction.LOCK.NO_KEY_UPDATE });
    if (!user || user.deletedAt || !isNews(user.hostClaims, token, profile)) return undefined;
    const seen = user.hostClaims ?? {};
    const changed = changesSince(seen, profile);
    const { displayName, avatar } = changed;
    const names = {
      ...(changed.username !== undefined && { username }),
      ...(changed.email !== undefined && { email: email ?? null }),
      ...(displayName !== undefined && { displayName }),
    };
    const row = await user.update(
      {
        ...{ ...names, ...foldedUser(names), ...(avatar !== undefined && { avatar }) },
        hostClaims: { ...seen, ...profile, issuedAt: token.issuedAt },
        updatedAt: databaseNow,
      },
      { transaction, returning: true }, // the version of the profile is counted by a trigger
    );
    await reconcileEverywhere(db, userId, transaction);
    const chats = changed.username === undefined ? undefined : await chatsNaming(db, userId, transaction);
    return { row, chats, isShown: displayName !== undefined || avatar !== undefined };
  };
  await queue.run(profileOf(userId), async () => {
    const contacts = await contactsOf(db, userId);
    const publish = (changed: Awaited<ReturnType<typeof change>>) => {
      if (changed?.chats) publishName(bus, changed.row, changed.chats);
      else if (changed?.isShown) publishProfile(bus, changed.row, contacts);
    };
    const usernames: readonly [string | undefined, ...string[]] =
      profile.username === undefined ? [undefined] : usernamesLike(profile.username);
    await withFreeNames(usernames, profile.email, (username, email) =>
      db.transaction((transaction) => change(transaction, username, email), publish),
    );
  });
}
