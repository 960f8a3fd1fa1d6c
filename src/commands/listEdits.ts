import { Type } from 'typebox';
import { wire } from '../database/wire.ts';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { readLiveMessage } from '../messages/read.ts';
import { Cursor, NextCursor, ROWS } from '../protocol/cursor.ts';
import { Edit } from '../protocol/schema/messages.ts';
import { IdOfMessage, Limit } from '../protocol/schema/types.ts';
import { defineRead } from './define.ts';

export const listEdits = defineRead({
  type: 'listEdits',
  summary: 'List the versions of an edited message, oldest first',
  description: 'The last row of the last page is the current version.',
  params: Type.Object({ messageId: IdOfMessage, limit: Limit, cursor: Cursor }),
  result: Type.Object({ data: Type.Array(Edit, ROWS), nextCursor: NextCursor }),
  cost: 1,
  errors: ['NOT_FOUND'],
  async handle({ messageId, limit = DEFAULT_LIMIT, cursor }, { session, db, cursors }) {
    await readLiveMessage(db, session.userId, messageId);
    const rows = await db.query<Row>(versions, [messageId, cursors.idFrom(cursor, 0), limit + 1]);
    return cursors.pageOf(rows.map(wire), limit, ({ version }) => [version]);
  },
});

interface Row {
  readonly version: number;
  readonly content: string;
  readonly createdAt: Date;
}

/** Primary key of message_edits; the message itself comes behind all of them. $1 message, $2 after this version, $3 limit. */
const versions = `
(
  select version, content, created_at as "createdAt" from message_edits
  where message_id = $1 and version > $2
  order by version
  limit $3
)
union all
select now.version, content, coalesce(edited_at, created_at)
from messages
cross join lateral (
  select coalesce(max(version), 0) + 1 as version from message_edits where message_id = $1
) now
where id = $1 and now.version > $2
order by version
limit $3
`;
