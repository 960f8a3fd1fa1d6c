import type { Database } from '../database/database.ts';
import type { ChatId } from '../ids.ts';
import type { EventType } from '../protocol/schema/events.ts';
import { fitting } from '../protocol/schema/page.ts';
import type { EventCursor, EventPosition, EventWindow } from './cursor.ts';
import { type Event, readEvents } from './read.ts';
import { scanEvents, scanEventsOfGroup } from './scan.sql.ts';
import { type EventRow, typesOf } from './types.ts';
import { type PresentState, presentState, validCursor } from './validCursor.ts';
import { endOf, openWindow } from './window.ts';

/** Where events are read. */
export interface EventSource {
  readonly db: Database;
  /** Days for which changes are kept, and cursors are valid. */
  readonly keptDays: number;
}

export interface EventFilter {
  /** Left out: all types. */
  readonly types?: readonly EventType[] | undefined;
  readonly groupId?: ChatId | undefined;
}

export interface EventQuery extends EventFilter {
  /** Left out: from the first event that is kept. */
  readonly cursor?: EventCursor | undefined;
  /** Maximum number of events. */
  readonly limit: number;
}

export interface EventPage {
  readonly events: readonly Event[];
  /** The place before the page. Read again from here, the page has the same events, in the state that they have then. */
  readonly cursor: EventCursor;
  readonly nextCursor: EventCursor;
  /** True if there may be another page, even if this one is short. */
  readonly more: boolean;
  /** The newest id that any transaction had taken. */
  readonly newestId: number;
}

/**
 * Statements of a page, and rows that each scans after the first, which scans as many as the page may have: with a filter,
 * they may all be of no interest.
 */
const MAX_STATEMENTS = 5;
const MAX_SCANNED = 2_000;
/** The place before the first event. */
export const NOTHING_READ = { since: null, settled: { id: 0, noted: null }, window: null };

/**
 * Reads the events after a cursor. From one cursor on, each event is read once, and the events of a chat in their order:
 * messages by `seq`, a change after everything that was in the chat when it was committed. Refuses a cursor that is too old
 * or was lost with `CONFLICT`.
 */
export async function listEvents(source: EventSource, query: EventQuery): Promise<EventPage> {
  const present = await presentState(source.db.reads);
  const { run, time } = present;
  const cursor = query.cursor
    ? await validCursor(source.db.reads, query.cursor, present, source.keptDays)
    : { run, time, ...NOTHING_READ };
  return readPage(source.db, cursor, present, query);
}

/** Returns a cursor from which everything is read that is committed from now on. */
export async function cursorFromNow({ db }: Pick<EventSource, 'db'>): Promise<EventCursor> {
  const { window, run } = await openWindow(db, NOTHING_READ.settled);
  return endOf({ run }, window);
}

/** Reads a page after a valid cursor. */
async function readPage(
  db: Database,
  valid: EventCursor,
  { newestId, time }: PresentState,
  query: EventFilter & Pick<EventQuery, 'limit'>,
): Promise<EventPage> {
  if (!valid.window && newestId <= valid.settled.id)
    return { events: [], cursor: valid, nextCursor: { ...valid, time }, more: false, newestId }; // nobody has taken an id since
  const cursor = valid.window ? valid : { ...valid, ...(await openWindow(db, valid.settled)) };
  const { window } = cursor;
  if (!window) throw new Error('a cursor without a window');

  const { rows, next } = await scan(db, cursor.since, window, query);
  const page = await pageOf(db, rows, window.next, query);
  const position = page.stoppedAt ?? next;
  return {
    events: page.events,
    cursor,
    nextCursor: position ? { ...cursor, window: { ...window, next: position } } : endOf(cursor, window),
    more: position !== undefined,
    newestId,
  };
}

interface ScannedRow extends EventRow {
  readonly isIncluded: boolean;
  readonly isLast: boolean;
}

/** Finds rows for a page. `next` is the position behind the last one scanned; undefined at the end of the window. */
async function scan(
  db: Database,
  since: string | null,
  { until, lastId, settled, next }: EventWindow,
  { types, groupId, limit }: EventFilter & Pick<EventQuery, 'limit'>,
): Promise<{ rows: EventRow[]; next: EventPosition | undefined }> {
  const rows: EventRow[] = [];
  let [from] = next;
  const texts = types?.includes('message') ?? true;
  const statement = groupId === undefined ? scanEvents : scanEventsOfGroup;
  for (let statements = 0; rows.length < limit / 2 && statements < MAX_STATEMENTS; statements++) {
    const count = statements === 0 ? limit + 1 : MAX_SCANNED;
    const bind = [from, lastId, since, until, groupId ?? null, types ?? null, texts, count, settled.id];
    const found = await db.reads.query<ScannedRow>(statement, bind);
    rows.push(...found.filter((row) => row.isIncluded && requestedOf(row, next, types).length > 0));
    const last = found.at(-1);
    if (!last?.isLast) return { rows, next: undefined };
    from = last.id + 1;
  }
  return { rows, next: [from, 0] };
}

/** Returns the indexes of the requested events of a row, without those before a position. */
function requestedOf(row: EventRow, [id, read]: EventPosition, types: EventFilter['types']): number[] {
  return [...typesOf(row).entries()].flatMap(([index, type]) =>
    (row.id > id || index >= read) && (types?.includes(type) ?? true) ? index : [],
  );
}

/** Reads the events of rows, as far as they fit. `stoppedAt` is the position of the next one; undefined if there is none. */
async function pageOf(
  db: Database,
  rows: readonly EventRow[],
  start: EventPosition,
  { types, limit }: EventFilter & Pick<EventQuery, 'limit'>,
): Promise<{ events: Event[]; stoppedAt: EventPosition | undefined }> {
  const read = await readEvents(db.reads, rows.slice(0, limit));
  const found = read.flatMap((events, n) => {
    const row = rows[n] as EventRow;
    return requestedOf(row, start, types).map((index) => ({
      event: events[index] as Event,
      position: [row.id, index + 1] as const,
    }));
  });
  const events = fitting(found.slice(0, limit).map(({ event }) => event));
  const isAll = read.length === rows.length && events.length === found.length;
  return { events, stoppedAt: isAll ? undefined : found[events.length - 1]?.position };
}
