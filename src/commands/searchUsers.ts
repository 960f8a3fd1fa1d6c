import { Type } from 'typebox';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { Cursor, NextCursor } from '../schema/cursor.ts';
import { Profile } from '../schema/people.ts';
import { CustomFilter, Limit, Text } from '../schema/types.ts';
import { foldForSearch } from '../text/fold.ts';
import { startingWith } from '../text/patterns.ts';
import { profilesOf } from '../users/profiles.ts';
import { defineRead } from './define.ts';

export const searchUsers = defineRead({
  type: 'searchUsers',
  summary: 'Find users by the beginning of their username or display name',
  description: 'Case, accents and vowel points make no difference.',
  params: Type.Object({
    query: Text(1, 100, 'How the name begins'),
    custom: CustomFilter,
    limit: Limit,
    cursor: Cursor,
  }),
  result: Type.Object({ data: Type.Array(Profile), nextCursor: NextCursor }),
  cost: 2,
  isHeavy: true,
  errors: [],
  async handle({ query, custom, limit = DEFAULT_LIMIT, cursor }, { session, db, presence, cursors }) {
    const pattern = startingWith(foldForSearch(query));
    if (pattern === undefined) return { data: [], nextCursor: null };
    const found = await db.select<{ id: number }>(findUsers, [
      pattern,
      cursors.idFrom(cursor, 0),
      limit + 1,
      custom ? JSON.stringify(custom) : null,
    ]);
    const users = await db.users.findAll({ where: { id: found.map(({ id }) => id) }, order: ['id'] });
    const profiles = await profilesOf(presence, session.userId, users);
    return cursors.pageOf(profiles, limit, ({ userId }) => [userId]);
  },
});

/** Each half by its own index (users_by_username, users_by_display_name). $1 pattern, $2 after this id, $3 limit, $4 custom. */
export const findUsers = `
select id from users
where (username_search like $1 or display_name_search like $1)
  and id > $2 and deleted_at is null and ($4::jsonb is null or custom @> $4)
order by id
limit $3
`;
