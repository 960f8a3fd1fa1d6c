import { Type } from 'typebox';
import { prepared } from '../database/statements.ts';
import type { UserId } from '../ids.ts';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { Cursor, NextCursor, ROWS } from '../protocol/cursor.ts';
import { Profile } from '../protocol/schema/people.ts';
import { CustomFilter, Limit } from '../protocol/schema/types.ts';
import { usersByCustom } from '../users/byCustom.ts';
import { findableBy, isContact } from '../users/directory.ts';
import { profilesOf } from '../users/profiles.ts';
import { defineRead } from './define.ts';

export const listUsers = defineRead({
  type: 'listUsers',
  summary: 'List all users in the order of their registration, with their presence',
  description:
    'With custom, a page may have fewer users than limit, or none, before the end of the list. The list ends when nextCursor is null.',
  params: Type.Object({ custom: CustomFilter, limit: Limit, cursor: Cursor }),
  result: Type.Object({ data: Type.Array(Profile, ROWS), nextCursor: NextCursor }),
  cost: 2,
  errors: [],
  async handle({ custom, limit = DEFAULT_LIMIT, cursor }, { session, db, presence, cursors, directory }) {
    const after = cursors.idFrom(cursor, 0);
    const { few, contactOf } = await findableBy(db, directory, session.userId);
    const matching = few ?? (custom && (await usersByCustom(db, custom)));
    const bind = [after, limit + 1, custom ? JSON.stringify(custom) : null, contactOf];
    const entries = await (matching
      ? db.query<Row>(usersOfFew, [...bind, JSON.stringify(matching)])
      : db.query<Row>(usersFrom, bind));
    const ids = entries.filter(({ isListed }) => isListed).map(({ id }) => id);
    const users = await db.users.findAll({ where: { id: ids }, order: ['id'] });
    const { data, nextCursor } = cursors.pageOf(
      await profilesOf(presence, session.userId, users),
      limit,
      ({ userId }) => [userId],
    );
    const last = entries.find(({ isLast }) => isLast);
    return { data, nextCursor: nextCursor ?? (last ? cursors.encode([last.id]) : null) };
  },
});

interface Row {
  readonly id: UserId;
  readonly isListed: boolean;
  /** As many were looked at as may be: what follows is not known. */
  readonly isLast: boolean;
}

/** Users that are looked at for one page. */
const SCANNED = 2_000;

/**
 * The users after the id $1, by the primary key: $2 that are to be listed, with $3 in their custom and, if $4 is not null,
 * only contacts of that user, and the last one looked at.
 */
const usersFrom = prepared(
  'users from id',
  `
select id, "isListed", "isLast"
from (
  select id, row_number() over () = ${SCANNED} as "isLast",
    deleted_at is null and ($3::jsonb is null or custom @> $3)
      and ($4::bigint is null or ${isContact('entry.id', '$4')}) as "isListed"
  from (select * from users where id > $1 order by id limit ${SCANNED}) entry
) looked_at
where "isListed" or "isLast"
limit $2
`,
);

/** The same of the users $5. */
const usersOfFew = prepared(
  'few users from id',
  `
select id, true as "isListed", false as "isLast" from users
where id = any (array(select jsonb_array_elements_text($5::jsonb)::bigint)) and id > $1 and deleted_at is null
  and ($3::jsonb is null or custom @> $3) and ($4::bigint is null or ${isContact('users.id', '$4')})
order by id
limit $2
`,
);
