import { Type } from 'typebox';
import { Change } from '../protocol/schema/sync.ts';
import { Time } from '../protocol/schema/types.ts';
import { decodeSyncCursor, encodeSyncCursor, START } from '../sync/cursor.ts';
import { isInDatabase, presentState } from '../sync/databaseRuns.ts';
import { findChanges, positionOf } from '../sync/find.ts';
import { readChanges } from '../sync/read.ts';
import { defineRead } from './define.ts';

const DEFAULT_LIMIT = 500;

export const sync = defineRead({
  type: 'sync',
  summary: 'Catch up: everything that happened in this user’s chats since the last time, chat by chat',
  description:
    'While more is true, ask again with nextCursor, however little a page has; then keep it for the next time. Each change is the state of now, so that one that comes again is harmless. Without a cursor it begins with all messages there are; a client that lists chats and pages back by itself takes its first cursor with fromNow. A cursor of a database that has lost what was answered with it, restored or failed over to a replica that lagged, begins there, too.',
  params: Type.Object({
    cursor: Type.Optional(
      Type.String({ minLength: 1, maxLength: 16_384, description: 'nextCursor of the last time' }),
    ),
    fromNow: Type.Optional(
      Type.Boolean({ description: 'True, without a cursor: nothing but a cursor for later' }),
    ),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1000,
        default: DEFAULT_LIMIT,
        description: 'Changes per page at most',
      }),
    ),
  }),
  result: Type.Object({
    data: Type.Array(Change),
    nextCursor: Type.String(),
    more: Type.Boolean({ description: 'Another page is there now' }),
    time: {
      ...Time,
      description:
        'What the clock of the server said when the page was begun: the difference to one’s own tells when mutedUntil is over',
    },
  }),
  errors: [],
  cost: 10,
  async handle({ cursor, fromNow = false, limit = DEFAULT_LIMIT }, { session, db, cursors }) {
    // The present is taken first: what is committed while the changes are read comes now, and once more the next time.
    const [present] = await db.query<Present>(presentState, []);
    if (!present) throw new Error('PostgreSQL named no snapshot');
    const { snapshot, database } = present;
    const time = present.time.toISOString();
    const given = cursor === undefined ? undefined : decodeSyncCursor(cursors, cursor);
    const known =
      given && (await isInDatabase(db, given, database)) ? given : { since: null, until: null, place: START };
    const until = known.until ?? snapshot;
    const done = encodeSyncCursor(cursors, { database, since: until, until: null, place: START });
    if (fromNow && !given) return { data: [], nextCursor: done, more: false, time };

    const { rows, next } = await findChanges(db, session.userId, known, limit + 1);
    const page = rows.slice(0, limit);
    const { data, read } = await readChanges(db, session.userId, page);
    const last = page[read - 1];
    const place = last && read < rows.length ? positionOf(last) : next;
    if (!place) return { data, nextCursor: done, more: false, time };
    const position = { database, since: known.since, until, place };
    return { data, nextCursor: encodeSyncCursor(cursors, position), more: true, time };
  },
});

interface Present {
  readonly snapshot: string;
  readonly database: string;
  readonly time: Date;
}
