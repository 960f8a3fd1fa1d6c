import { col, fn, type Transaction } from 'sequelize';
import type { Publisher } from '../bus/bus.ts';
import { reconcileEverywhere } from '../bus/outbox.ts';
import { userTopic } from '../bus/topics.ts';
import { databaseNow } from '../database/clock.ts';
import type { Database } from '../database/database.ts';
import type { UserId } from '../ids.ts';
import { ApiError } from '../protocol/errors.ts';

interface RevocationServices {
  readonly db: Database;
  readonly bus: Publisher;
}

/** Changes of an account in the transaction that revokes its tokens. */
interface AccountChanges {
  readonly disabledAt?: ReturnType<typeof fn>;
  readonly passwordHash?: string;
}

/** Disables an account: revokes its tokens, and refuses new ones. One that is disabled keeps the time. */
export const disableAccount = (userId: UserId, services: RevocationServices): Promise<void> =>
  revokeTokens(userId, services, { disabledAt: fn('coalesce', col('disabled_at'), databaseNow) });

/**
 * Revokes all tokens of a user and closes all connections, in one transaction with a change of the account. Refuses with
 * `NOT_FOUND` if there is no such account.
 */
export async function revokeTokens(
  userId: UserId,
  { db, bus }: RevocationServices,
  changes: AccountChanges = {},
): Promise<void> {
  const end = async (transaction: Transaction) => {
    const [ended] = await db.execute<{ tokenVersion: number }>(endTokens, [userId], transaction);
    if (!ended) throw new ApiError('NOT_FOUND', `There is no user ${userId}`);
    await db.users.update(changes, { where: { id: userId }, transaction });
    await reconcileEverywhere(db, userId, transaction);
    return ended;
  };
  await db.transaction(end, ({ tokenVersion }) =>
    bus.publish(userTopic(userId), { signal: { kind: 'revoked', tokenVersion } }),
  );
}

/** Increments the stored value, because a concurrent change may have increased it since the user was read. */
const endTokens = `
update users set token_version = token_version + 1 where id = $1 and deleted_at is null
returning token_version as "tokenVersion"
`;
