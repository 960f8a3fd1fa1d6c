import type { Database } from '../database/database.ts';

/** Time for which sessions are kept after their end. */
const RETENTION = '30 days';
/** Rows deleted per statement, which takes some tens of milliseconds. */
const SLICE = 2_000;

/** Deletes sessions that ended long ago, and revoked tokens that have expired, in slices. */
export async function deleteOldSessions(db: Database, slice = SLICE): Promise<void> {
  for (const [statement, bind] of [
    [deleteEndedSessions, [slice, RETENTION]],
    [deleteExpiredTokens, [slice]],
  ] as const)
    while ((await db.execute(statement, bind)).length === slice);
}

/** Uses the index sessions_ended to find the ids, and the key to delete. Skips rows that another node is deleting. */
const deleteEndedSessions = `
delete from sessions where id = any (array(
  select id from sessions where ended_at < (select clock_timestamp() - $2::interval)
  order by ended_at limit $1 for update skip locked
))
returning id
`;

/** Uses the index ended_tokens_expired. */
const deleteExpiredTokens = `
delete from ended_tokens where token_id = any (array(
  select token_id from ended_tokens where expires_at < (select clock_timestamp())
  order by expires_at limit $1 for update skip locked
))
returning token_id
`;
