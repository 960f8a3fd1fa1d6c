import type { Queries } from '../database/database.ts';
import type { UserId } from '../ids.ts';
import type { CustomData } from '../protocol/schema/types.ts';

/** Users who are found by their `custom` first. */
const FEW = 2_000;

/** Returns the users whose `custom` contains the given one, or nothing where they are many. */
export async function usersByCustom(db: Queries, custom: CustomData): Promise<UserId[] | undefined> {
  if (Object.keys(custom).length === 0) return undefined;
  const found = await db.query<{ id: UserId }>(containing, [JSON.stringify(custom), FEW + 1]);
  return found.length > FEW ? undefined : found.map(({ id }) => id);
}

/** Index users_custom. */
const containing = `select id from users where custom @> $1::jsonb limit $2`;
