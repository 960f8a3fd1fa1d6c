import type { Queries } from '../database/database.ts';
import type { UserId } from '../ids.ts';
import type { CustomData } from '../protocol/schema/types.ts';

/** Maximum users for which a search begins with their `custom`. */
const FEW = 2_000;

/** Returns the users whose `custom` contains `custom`, or undefined if there are many. */
export async function usersByCustom(db: Queries, custom: CustomData): Promise<UserId[] | undefined> {
  if (Object.keys(custom).length === 0) return undefined;
  const found = await db.query<{ id: UserId }>(containing, [JSON.stringify(custom), FEW + 1]);
  return found.length > FEW ? undefined : found.map(({ id }) => id);
}

/** Uses the index users_custom. */
const containing = `select id from users where custom @> $1::jsonb limit $2`;
