import { Type } from 'typebox';

import { groupRow } from '../chats/groups.ts';
import { prepared } from '../database/statements.ts';
import type { ChatId } from '../ids.ts';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { Cursor, NextCursor, ROWS } from '../protocol/cursor.ts';
import { Group } from '../protocol/schema/groups.ts';
import { CustomFilter, Limit, Text } from '../protocol/schema/types.ts';
import { foldForSearch } from '../text/fold.ts';
import { containing } from '../text/patterns.ts';
import { defineRead } from './define.ts';

export const listGroups = defineRead({
  type: 'listGroups',
  summary: 'Find public groups, newest first',
  description:
    'A page may have fewer groups than limit, or none, before the end of the list. The list ends when nextCursor is null.',
  params: Type.Object({
    query: Type.Optional(Text(1, 100, 'Part of the name; case, accents and vowel points are ignored')),
    custom: CustomFilter,
    limit: Limit,
    cursor: Cursor,
  }),
  result: Type.Object({ data: Type.Array(Group, ROWS), nextCursor: NextCursor }),
  cost: 1,
  errors: [],
  async handle({ query, custom, limit = DEFAULT_LIMIT, cursor }, { session, db, cursors }) {
    const pattern = query === undefined ? null : containing(foldForSearch(query));
    if (pattern === undefined) return { data: [], nextCursor: null };
    const filter = [pattern, custom ? JSON.stringify(custom) : null];
    const before = cursors.idFrom(cursor, Number.MAX_SAFE_INTEGER);
    const newest = await db.query<Row>(newestPublicGroups, [...filter, before, limit + 1]);
    const ids = newest.filter(({ isListed }) => isListed).map(({ id }) => id);
    let last = newest.find(({ isLast }) => isLast);
    if (last && ids.length <= limit && (custom || [...(pattern ?? '')].length >= SHORTEST)) {
      const older = await db.query<{ id: ChatId }>(olderPublicGroups, [...filter, last.id, limit + 1]);
      ids.push(...older.map(({ id }) => id));
      last = undefined;
    }
    const [groups, roles] = await Promise.all([
      db.chats.findAll({ where: { id: ids }, order: [['id', 'desc']] }),
      db.members.findAll({ where: { chatId: ids, userId: session.userId } }),
    ]);
    const roleIn = new Map(roles.map(({ chatId, role }) => [chatId, role]));
    const rows = groups.map((group) => groupRow(group, roleIn.get(group.id) ?? null));
    const { data, nextCursor } = cursors.pageOf(rows, limit, ({ groupId }) => [groupId]);
    return { data, nextCursor: nextCursor ?? (last ? cursors.encode([last.id]) : null) };
  },
});

/** Public groups that are looked at for one page, one after another. */
const SCANNED = 2_000;

/** Characters of a pattern with a trigram in it: three between two wildcards. */
const SHORTEST = 5;

interface Row {
  readonly id: ChatId;
  readonly isListed: boolean;
  /** As many were looked at as may be. */
  readonly isLast: boolean;
}

/**
 * Along the index chats_public: $4 groups that are to be listed, and the last one that was looked at. $1 pattern or null,
 * $2 custom, $3 before this id.
 */
const newestPublicGroups = prepared(
  'newest public groups',
  `
select id, "isListed", "isLast"
from (
  select id, row_number() over () = ${SCANNED} as "isLast",
    ($1::text is null or name_search like $1) and ($2::jsonb is null or custom @> $2) as "isListed"
  from (
    select id, name_search, custom from chats
    where kind = 'group' and not is_private and closed_at is null and id < $3
    order by id desc
    limit ${SCANNED}
  ) entry
) looked_at
where "isListed" or "isLast"
limit $4
`,
);

/** Rare matches are found by an index and then sorted: indexes chats_public_search and chats_custom. */
const olderPublicGroups = `
with found as materialized (
  select id from chats
  where kind = 'group' and not is_private and closed_at is null and id < $3
    and ($1::text is null or name_search like $1) and ($2::jsonb is null or custom @> $2)
)
select id from found order by id desc limit $4
`;
