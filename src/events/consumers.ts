import type { Database } from '../database/database.ts';
import { ApiError } from '../protocol/errors.ts';
import type { EventCursor } from './cursor.ts';
import { cursorFromNow, type EventSource } from './listEvents.ts';
import { presentState, validCursor } from './validCursor.ts';
import { eventRun } from './window.ts';

/*
 * A consumer is a name under which events are read and acknowledged. One connection on one node serves it, as long as it
 * renews its lease. A database that contains an acknowledged cursor contains everything that the cursor has seen, because
 * its snapshot was taken before.
 */

/** Seconds after which another connection may serve a consumer whose node has died. */
const LEASE = 6;
/** Seconds after which to try again while another connection serves the consumer. */
const RETRY_AFTER = 2;

/** A connection that serves a consumer: `holder` is its unique id. */
export interface Lease {
  readonly consumer: string;
  readonly holder: string;
}

/** SQL that is true if no connection serves a consumer. */
export const isFree = `
(event_consumers.holder is null or event_consumers.lease_until < clock_timestamp())
`.trim();

/** Adds a consumer, unless there is one of this name. It begins with what is committed from now on. */
export async function addConsumer(source: EventSource, consumer: string): Promise<void> {
  const { db } = source;
  const [known] = await db.query('select from event_consumers where name = $1', [consumer]);
  if (!known) await db.execute(addNew, [consumer, JSON.stringify(await cursorFromNow(source))]);
}

const addNew = `
insert into event_consumers (name, cursor) values ($1, $2::jsonb) on conflict do nothing
`;

/**
 * Takes the lease of a consumer and returns the cursor that was acknowledged last. Refuses with `CONFLICT` if another
 * connection has the lease, and with an `InvalidCursorError` if the cursor is no longer valid.
 */
export async function takeLease(source: EventSource, { consumer, holder }: Lease): Promise<EventCursor> {
  const { db } = source;
  const [taken] = await db.execute<{ cursor: EventCursor }>(takeFree, [consumer, holder, LEASE]);
  if (!taken) throw servedElsewhere(consumer);
  try {
    return await storedCursor(source, taken.cursor);
  } catch (error) {
    await releaseLease(db, { consumer, holder });
    throw error;
  }
}

/** Returns the cursor of a consumer as it is valid now; refuses with an `InvalidCursorError` if it is not. */
export const storedCursor = async (
  { db, keptDays }: EventSource,
  cursor: EventCursor,
): Promise<EventCursor> => validCursor(db, cursor, await presentState(db), keptDays, true);

const takeFree = `
update event_consumers set holder = $2, lease_until = clock_timestamp() + make_interval(secs => $3)
where name = $1 and ${isFree}
returning cursor
`;

/** Returns the refusal of a consumer that another connection serves. Other conflicts have no `retryAfter`. */
export const servedElsewhere = (consumer: string): ApiError =>
  new ApiError('CONFLICT', `Another connection serves the consumer "${consumer}"`, RETRY_AFTER);

/**
 * Renews a lease, and stores the cursor of a consumer that has nothing to acknowledge, so that it does not become too old.
 * Returns false if another connection has taken the lease.
 */
export async function renewLease(
  db: Database,
  { consumer, holder }: Lease,
  reached: EventCursor | undefined,
): Promise<boolean> {
  const cursor = reached ? JSON.stringify(reached) : null;
  const renewed = await db.execute(renewOwn, [consumer, holder, LEASE, cursor, reached?.run ?? null]);
  return renewed.length > 0;
}

const renewOwn = `
update event_consumers
set lease_until = clock_timestamp() + make_interval(secs => $3),
  cursor = case when $5 = ${eventRun} then $4::jsonb else cursor end
where name = $1 and holder = $2
returning name
`;

/** Lets another connection serve the consumer at once. */
export async function releaseLease(db: Database, { consumer, holder }: Lease): Promise<void> {
  await db.execute(releaseOwn, [consumer, holder]);
}

const releaseOwn = `
update event_consumers set holder = null, lease_until = null where name = $1 and holder = $2
`;

/**
 * Stores that a consumer has processed everything before a cursor, from where it continues on any node. Without a `holder`,
 * also adds a consumer, and moves one to another cursor that `listEvents` has returned. Refuses with `CONFLICT` if the
 * cursor is not valid, if `holder` does not have the lease, or if without a `holder` a connection serves the consumer.
 */
export async function acknowledge(
  { db, keptDays }: EventSource,
  { consumer, holder }: { readonly consumer: string; readonly holder?: string },
  cursor: EventCursor,
): Promise<void> {
  const valid = await validCursor(db, cursor, await presentState(db), keptDays);
  const bind = [consumer, JSON.stringify(valid), valid.run];
  const [stored] = await (holder === undefined
    ? db.execute(storeFree, bind)
    : db.execute(storeOwn, [...bind, holder]));
  if (!stored) throw servedElsewhere(consumer);
}

/*
 * Both store nothing in another run of the database: then it is not known whether the cursor is valid there.
 */
const storeFree = `
insert into event_consumers (name, cursor)
select $1, $2::jsonb where $3 = ${eventRun}
on conflict (name) do update set cursor = excluded.cursor, acknowledged_at = excluded.acknowledged_at,
  holder = null, lease_until = null -- a holder that has not renewed its lease must not move it back
where ${isFree}
returning name
`;

const storeOwn = `
update event_consumers set cursor = $2::jsonb, acknowledged_at = clock_timestamp()
where name = $1 and holder = $4 and $3 = ${eventRun}
returning name
`;
