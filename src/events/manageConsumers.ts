import type { Database } from '../database/database.ts';
import { ApiError } from '../protocol/errors.ts';
import { isFree, servedElsewhere } from './consumers.ts';
import type { EventCursor } from './cursor.ts';
import { lagAfter } from './lag.ts';
import type { EventSource } from './listEvents.ts';

/* What operators do with the consumers of backends. Those of webhooks, whose names have a colon, come and go with these. */

/** A consumer as operators see it. */
export interface ConsumerState {
  readonly name: string;
  /** True if a connection serves it, or did so until a few seconds ago. */
  readonly isServed: boolean;
  readonly acknowledgedAt: Date;
  /** Age of the oldest event of any type that it has not acknowledged; null if events are lost. */
  readonly lagSeconds: number | null;
}

/** Returns all consumers by name. */
export async function listConsumers(source: EventSource): Promise<ConsumerState[]> {
  const found = await source.db.query<ConsumerState & { cursor: EventCursor }>(all, []);
  return Promise.all(
    found.map(async ({ cursor, ...consumer }) => ({
      ...consumer,
      lagSeconds: await lagAfter(source, cursor),
    })),
  );
}

const all = `
select name, not ${isFree} as "isServed", acknowledged_at as "acknowledgedAt", cursor
from event_consumers where name not like '%:%' order by name
`;

/**
 * Deletes a consumer and its place: one of the same name begins with what is committed from then on. Refuses with
 * `NOT_FOUND`, and with `CONFLICT` while a connection serves it.
 */
export async function deleteConsumer(db: Database, name: string): Promise<void> {
  const [deleted] = await db.execute(remove, [name]);
  if (deleted) return;
  const [found] = await db.query(one, [name]);
  throw found ? servedElsewhere(name) : new ApiError('NOT_FOUND', `There is no consumer "${name}"`);
}

const remove = `
delete from event_consumers where name = $1 and name not like '%:%' and ${isFree} returning name
`;

const one = `
select from event_consumers where name = $1 and name not like '%:%'
`;
