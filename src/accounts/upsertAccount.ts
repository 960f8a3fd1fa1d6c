import type { Transaction } from 'sequelize';
import type { Static } from 'typebox';
import { reconcileEverywhere } from '../bus/outbox.ts';
import { databaseNow } from '../database/clock.ts';
import type { Database } from '../database/database.ts';
import type { User } from '../database/models/User.ts';
import type { UserId } from '../ids.ts';
import type { AccountOfHost } from '../protocol/schema/service.ts';
import { foldedUser } from '../text/foldedColumns.ts';
import { contactsOf } from '../users/contacts.ts';
import { chatsNaming, profileOf, publishName, publishProfile } from '../users/publishProfile.ts';
import { normalise } from './account.ts';
import { usernamesLike, withFreeNames } from './freeNames.ts';
import { cut, MAX_USERNAME } from './hostProfile.ts';
import type { HostAccountServices } from './updateHostProfile.ts';
import { findUsers } from './userReferences.ts';

/** An account as a backend states it. Properties that are left out stay as they are. */
type Stated = Static<typeof AccountOfHost>;

/**
 * Creates the account of a user of the host, or changes it and publishes the change. A deleted one stays deleted. Names are
 * made unique as for tokens of the host. Idempotent.
 */
export async function upsertAccount(services: HostAccountServices, given: Stated): Promise<void> {
  const { db } = services;
  const stated = {
    ...given,
    ...(given.username !== undefined && { username: normalise(given.username) }),
    ...(typeof given.email === 'string' && { email: normalise(given.email) }),
  };
  const find = async () => (await findUsers(db, [{ externalId: stated.externalId }]))[0];
  let user = await find();
  if (!user) {
    if (await create(db, stated)) return;
    user = await find(); // another request has created it
  }
  if (user && !user.isDeleted) await update(services, user.id, stated);
}

/** Returns false if the account exists. */
async function create(db: Database, stated: Stated): Promise<boolean> {
  const { externalId, displayName = null, avatar = null, custom = null, isBot = false } = stated;
  let isCreated = false;
  const insert = async (username: string, freeEmail: string | undefined) => {
    const email = freeEmail ?? null;
    const folded = foldedUser({ username, displayName, email });
    const created = await db.execute(insertAccount, [
      ...[externalId, username, folded.usernameFolded, folded.usernameSearch],
      ...[displayName, folded.displayNameSearch, email, folded.emailFolded],
      ...[avatar, custom && JSON.stringify(custom), isBot],
    ]);
    isCreated = created.length > 0;
  };
  await withFreeNames(usernamesLike(stated.username), stated.email ?? undefined, insert);
  return isCreated;
}

async function update(
  { db, bus, changes }: HostAccountServices,
  userId: UserId,
  stated: Stated,
): Promise<void> {
  const change = async (
    transaction: Transaction,
    username: string | undefined,
    freeEmail: string | undefined,
  ) => {
    const user = await db.users.findByPk(userId, { transaction, lock: transaction.LOCK.NO_KEY_UPDATE });
    if (!user || user.deletedAt) return undefined;
    const before = { username: user.username, version: user.profileVersion };
    // The version of the profile is counted by a trigger.
    const row = await user.update(columnsOf(stated, username, freeEmail), { transaction, returning: true });
    const chats = row.username === before.username ? undefined : await chatsNaming(db, userId, transaction);
    const isShown = row.profileVersion !== before.version;
    if (isShown) await reconcileEverywhere(db, userId, transaction);
    return { row, chats, isShown };
  };
  await changes.run(profileOf(userId), async () => {
    const contacts = await contactsOf(db, userId);
    const publish = (changed: Awaited<ReturnType<typeof change>>) => {
      if (changed?.chats) publishName(bus, changed.row, changed.chats);
      else if (changed?.isShown) publishProfile(bus, changed.row, contacts);
    };
    const usernames = usernamesFor(stated.username, await db.users.findByPk(userId));
    await withFreeNames(usernames, stated.email ?? undefined, (username, freeEmail) =>
      db.transaction((transaction) => change(transaction, username, freeEmail), publish),
    );
  });
}

/** Returns the columns to change. An email that another account has is left out: `freeEmail` is undefined then. */
function columnsOf(
  { displayName, avatar, custom, isBot, email }: Stated,
  username: string | undefined,
  freeEmail: string | undefined,
) {
  const names = {
    ...(username !== undefined && { username }),
    ...(displayName !== undefined && { displayName }),
    ...(email === null ? { email } : freeEmail !== undefined && { email: freeEmail }),
  };
  const others = {
    ...(avatar !== undefined && { avatar }),
    ...(custom !== undefined && { custom }),
    ...(isBot !== undefined && { isBot }),
  };
  return { ...names, ...foldedUser(names), ...others, updatedAt: databaseNow };
}

/**
 * Returns usernames to try. If the wanted one is taken, a username that an earlier call made of it stays: the call may be
 * repeated.
 */
function usernamesFor(
  wanted: string | undefined,
  user: User | null,
): readonly [string | undefined, ...string[]] {
  if (wanted === undefined) return [undefined];
  const [first, ...others] = usernamesLike(wanted);
  const suffix = /-\d+$/.exec(user?.username ?? '')?.[0] ?? '';
  const isMade = user?.username === cut(wanted, MAX_USERNAME - suffix.length) + suffix;
  return isMade && user.username ? [first, user.username, ...others] : [first, ...others];
}

const insertAccount = `
insert into users (
  external_id, username, username_folded, username_search, display_name, display_name_search, email, email_folded,
  avatar, custom, is_bot
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11)
on conflict (external_id) where external_id is not null do nothing
returning id
`;
