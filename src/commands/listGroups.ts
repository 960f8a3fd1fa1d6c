import { Type } from 'typebox';

import { groupRow } from '../chats/groups.ts';
import type { Role } from '../database/models/ChatMember.ts';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { Cursor, NextCursor } from '../schema/cursor.ts';
import { Group } from '../schema/groups.ts';
import { CustomFilter, Limit, Text } from '../schema/types.ts';
import { foldForSearch } from '../text/fold.ts';
import { containing } from '../text/patterns.ts';
import { defineRead } from './define.ts';

export const listGroups = defineRead({
  type: 'listGroups',
  summary: 'Find public groups, newest first',
  params: Type.Object({
    query: Type.Optional(Text(1, 100, 'What the name contains, whatever case, accents and vowel points')),
    custom: CustomFilter,
    limit: Limit,
    cursor: Cursor,
  }),
  result: Type.Object({ data: Type.Array(Group), nextCursor: NextCursor }),
  errors: [],
  async handle({ query, custom, limit = DEFAULT_LIMIT, cursor }, { session, db, cursors }) {
    const pattern = query === undefined ? null : containing(foldForSearch(query));
    if (pattern === undefined) return { data: [], nextCursor: null };
    const found = await db.select<{ id: number; role: Role | null }>(publicGroups, [
      pattern,
      custom ? JSON.stringify(custom) : null,
      cursors.idFrom(cursor, Number.MAX_SAFE_INTEGER),
      limit + 1,
      session.userId,
    ]);
    const groups = await db.chats.findAll({ where: { id: found.map(({ id }) => id) } });
    const byId = new Map(groups.map((group) => [group.id, group]));
    const rows = found.map(({ id, role }) => {
      const group = byId.get(id);
      return { id, group: group && groupRow(group, role) };
    });
    const { data, nextCursor } = cursors.pageOf(rows, limit, ({ id }) => [id]);
    return { data: data.flatMap(({ group }) => group ?? []), nextCursor };
  },
});

/** Index chats_public_search. $1 pattern or null, $2 custom, $3 before this id, $4 limit, $5 who asks. */
export const publicGroups = `
select chats.id, member.role
from chats left join chat_members member on member.chat_id = chats.id and member.user_id = $5
where chats.kind = 'group' and not is_private and closed_at is null and chats.id < $3
  and ($1::text is null or name_search like $1) and ($2::jsonb is null or custom @> $2)
order by chats.id desc
limit $4
`;
