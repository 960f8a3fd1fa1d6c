import { Type } from 'typebox';
import { Change } from '../protocol/schema/sync.ts';
import { described, Time } from '../protocol/schema/types.ts';
import { isInDatabase, presentState } from '../sync/databaseRuns.ts';
import { findChanges, positionOf } from '../sync/find.ts';
import { readChanges } from '../sync/read.ts';
import { decodeSyncCursor, encodeSyncCursor, START } from '../sync/syncCursor.ts';
import { defineRead } from './define.ts';

const DEFAULT_LIMIT = 500;

export const sync = defineRead({
  type: 'sync',
  summary: 'Read all changes in the chats of this user since a cursor, chat by chat',
  description:
    'While more is true, continue with nextCursor, even if the page is short; then keep nextCursor for the next sync. Each change contains the present state, so that a repeated change does no harm. Without a cursor, sync begins with all existing messages. A client that lists its chats and pages back by itself gets its first cursor with fromNow. If the database has lost data since the cursor was issued (after a restore, or a failover to a replica that lagged), sync begins with all existing messages as well.',
  params: Type.Object({
    cursor: Type.Optional(
      Type.String({ minLength: 1, maxLength: 16_384, description: 'nextCursor of the previous sync' }),
    ),
    fromNow: Type.Optional(
      Type.Boolean({ description: 'True, without cursor: return only a cursor for later' }),
    ),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1000,
        default: DEFAULT_LIMIT,
        description: 'Maximum number of changes per page',
      }),
    ),
  }),
  result: Type.Object({
    data: Type.Array(Change, { description: 'The changes of the page' }),
    nextCursor: Type.String({ description: 'cursor of the next page, or of the next sync' }),
    more: Type.Boolean({ description: 'True if there is another page' }),
    time: described(
      Time,
      'Time of the server’s clock at the beginning of the page. The difference to the clock of the device helps to decide when mutedUntil ends',
    ),
  }),
  cost: 10,
  errors: [],
  async handle({ cursor, fromNow = false, limit = DEFAULT_LIMIT }, { session, db, cursors }) {
    // The present is taken first: what is committed while the changes are read comes now, and once more the next time.
    const [present] = await db.query<Present>(presentState, []);
    if (!present) throw new Error('PostgreSQL named no snapshot');
    const { snapshot, database } = present;
    const time = present.time.toISOString();
    const decoded = cursor === undefined ? undefined : decodeSyncCursor(cursors, cursor);
    const known =
      decoded && (await isInDatabase(db, decoded, database))
        ? decoded
        : { since: null, until: null, position: START };
    const until = known.until ?? snapshot;
    const done = encodeSyncCursor(cursors, { database, since: until, until: null, position: START });
    if (fromNow && !decoded) return { data: [], nextCursor: done, more: false, time };

    const { rows, next } = await findChanges(db, session.userId, known, limit + 1);
    const page = rows.slice(0, limit);
    const { data, read } = await readChanges(db, session.userId, page);
    const last = page[read - 1];
    const position = last && read < rows.length ? positionOf(last) : next;
    if (!position) return { data, nextCursor: done, more: false, time };
    const nextCursor = encodeSyncCursor(cursors, { database, since: known.since, until, position });
    return { data, nextCursor, more: true, time };
  },
});

interface Present {
  readonly snapshot: string;
  readonly database: string;
  readonly time: Date;
}
