import type { Static } from 'typebox';
import { findUsers, type UserReference } from '../../accounts/userReferences.ts';
import type { Queries } from '../../database/database.ts';
import type { User } from '../../database/models/User.ts';
import type { ServiceUser } from '../../protocol/schema/service.ts';
import { nameOf } from '../../users/names.ts';

/** Returns the accounts that exist, each in the place of its reference. */
export async function readServiceUsers(
  db: Queries,
  references: readonly UserReference[],
): Promise<Static<typeof ServiceUser>[]> {
  const ids = (await findUsers(db, references)).flatMap((user) => user?.id ?? []);
  const users = await db.users.findAll({ where: { id: ids } });
  const byId = new Map(users.map((user) => [user.id, user]));
  return ids.flatMap((id) => {
    const user = byId.get(id);
    return user ? [rowOf(user)] : [];
  });
}

function rowOf(user: User): Static<typeof ServiceUser> {
  const { id: userId, externalId, displayName, email, avatar, custom, isBot } = user;
  const times = {
    createdAt: user.createdAt.toISOString(),
    disabledAt: user.disabledAt?.toISOString() ?? null,
    deletedAt: user.deletedAt?.toISOString() ?? null,
  };
  return { userId, externalId, username: nameOf(user), displayName, email, avatar, custom, isBot, ...times };
}
