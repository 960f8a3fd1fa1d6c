import { Type } from 'typebox';
import { wire } from '../database/wire.ts';
import type { UserId } from '../ids.ts';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { Cursor, NextCursor, ROWS } from '../protocol/cursor.ts';
import { ShownName } from '../protocol/schema/people.ts';
import { Id, Limit, Time, UserName } from '../protocol/schema/types.ts';
import { shownName } from '../users/names.ts';
import { defineRead } from './define.ts';

export const listBlockedUsers = defineRead({
  type: 'listBlockedUsers',
  summary: 'List the users that this user has blocked',
  params: Type.Object({ limit: Limit, cursor: Cursor }),
  result: Type.Object({
    data: Type.Array(
      Type.Object(
        { userId: Id.user, username: UserName, displayName: ShownName, blockedAt: Time },
        { title: 'BlockedUser', description: 'A user whom this user has blocked' },
      ),
      ROWS,
    ),
    nextCursor: NextCursor,
  }),
  cost: 1,
  errors: [],
  async handle({ limit = DEFAULT_LIMIT, cursor }, { session, db, cursors }) {
    const bind = [session.userId, cursors.idFrom(cursor, 0), limit + 1];
    const rows = await db.query<Row>(blockedUsers, bind);
    return cursors.pageOf(rows.map(wire), limit, ({ userId }) => [userId]);
  },
});

interface Row {
  readonly userId: UserId;
  readonly username: string;
  readonly displayName: string | null;
  readonly blockedAt: Date;
}

const blockedUsers = `
select blocked_id as "userId", ${shownName('username')} as username, display_name as "displayName",
  blocks.created_at as "blockedAt"
from blocks join users on users.id = blocked_id
where user_id = $1 and blocked_id > $2
order by blocked_id
limit $3
`;
