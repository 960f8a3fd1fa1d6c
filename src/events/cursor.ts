import type { UserId } from '../ids.ts';
import type { CursorSigner, Cursors } from '../protocol/cursor.ts';
import { ApiError } from '../protocol/errors.ts';

/**
 * A place in the list of all events. Everything visible to `since` has been read; the rest of the window after it is read
 * from `next` on.
 */
export interface EventCursor {
  /** The run of the database in which it was made, see sync/databaseRuns.ts. */
  readonly run: string;
  /** Milliseconds since the epoch, by the clock of the database: when its snapshot was taken. Older events need not follow it. */
  readonly time: number;
  /** A snapshot (`pg_snapshot` as text); null: nothing has been read. */
  readonly since: string | null;
  readonly settled: Settled;
  /** The window that is being read; null: the next one has to be opened. */
  readonly window: EventWindow | null;
}

/** The events that became visible between two snapshots. */
export interface EventWindow {
  /** The snapshot at its end. */
  readonly until: string;
  /** Milliseconds since the epoch at which it was taken. */
  readonly time: number;
  /** No event that was visible to `until` has a higher id. */
  readonly lastId: number;
  readonly settled: Settled;
  readonly next: EventPosition;
}

/** An event of a row: the id of the row, and the number of its events that were read. */
export type EventPosition = readonly [id: number, events: number];

/** The ids below which no open transaction of a snapshot can have taken one. */
export interface Settled {
  /** Each event up to this id is visible to the snapshot, or its transaction was rolled back. */
  readonly id: number;
  /** Up to `id`, only transactions below `xid` have taken ids; null once they have ended. */
  readonly noted: { readonly id: number; readonly xid: string } | null;
}

/** Events are of no user: ids begin with 1. */
const NO_USER = 0 as UserId;

/** Returns the cursors of events. They are of no key, because a key may replace another one. */
export const eventCursors = (sign: CursorSigner): Cursors => sign('events', NO_USER);

/** Encodes a cursor as text for a client. */
export const encodeEventCursor = (cursors: Cursors, cursor: EventCursor): string =>
  cursors.encode([FORM, cursor]);

/** Decodes the result of {@link encodeEventCursor}; refuses anything else with `BAD_REQUEST`, also from another version. */
export function decodeEventCursor(cursors: Cursors, text: string): EventCursor {
  const [form, cursor] = signedBy(cursors, text) ?? [];
  if (form === FORM) return cursor as EventCursor;
  throw new ApiError('BAD_REQUEST', 'params.cursor must be the nextCursor of a page or of a batch of events');
}

function signedBy(cursors: Cursors, text: string): unknown[] | undefined {
  try {
    return cursors.decode(text) as unknown[];
  } catch {
    return undefined;
  }
}

/** The version of the form of cursors. */
const FORM = 1;
