import { Type } from 'typebox';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { Cursor, type Cursors, NextCursor, ROWS, wrongCursor } from '../protocol/cursor.ts';
import { fitting } from '../protocol/schema/page.ts';
import { Profile } from '../protocol/schema/people.ts';
import { CustomFilter, Limit, Text } from '../protocol/schema/types.ts';
import { foldForSearch } from '../text/fold.ts';
import { type NamePosition, usersByName } from '../users/byName.ts';
import { findableBy } from '../users/directory.ts';
import { profilesOf } from '../users/profiles.ts';
import { defineRead } from './define.ts';

export const searchUsers = defineRead({
  type: 'searchUsers',
  summary: 'Search for users by the beginning of their username or display name',
  description:
    'The result is ordered by name. Case, accents and vowel points are ignored. A page may have fewer users than limit, or none, before the end of the list. The list ends when nextCursor is null.',
  params: Type.Object({
    query: Text(1, 100, 'Beginning of the name'),
    custom: CustomFilter,
    limit: Limit,
    cursor: Cursor,
  }),
  result: Type.Object({ data: Type.Array(Profile, ROWS), nextCursor: NextCursor }),
  isHeavy: true,
  cost: 2,
  errors: [],
  async handle(
    { query, custom, limit = DEFAULT_LIMIT, cursor },
    { session, db, presence, cursors, directory },
  ) {
    const prefix = foldForSearch(query);
    if (prefix === '') return { data: [], nextCursor: null };
    const after = cursor === undefined ? undefined : placeIn(cursors, cursor);
    const findable = await findableBy(db, directory, session.userId, query);
    const { positions, next } = await usersByName(db, { prefix, after, custom, findable, limit });
    const ids = positions.map(({ id }) => id);
    const userOf = new Map((await db.users.findAll({ where: { id: ids } })).map((user) => [user.id, user]));
    const users = ids.flatMap((id) => userOf.get(id) ?? []);
    const data = fitting(await profilesOf(presence, session.userId, users));
    const last = data.length < users.length ? positions.find(({ id }) => id === data.at(-1)?.userId) : next;
    return { data, nextCursor: last ? cursors.encode([last.name, last.id]) : null };
  },
});

/** The position in a cursor; refuses one of earlier releases, which was an id. */
function placeIn(cursors: Cursors, cursor: string): NamePosition {
  const position = cursors.decode(cursor);
  if (!Array.isArray(position)) throw wrongCursor();
  const [name, id] = position;
  if (typeof name !== 'string' || !Number.isInteger(id)) throw wrongCursor();
  return { name, id };
}
