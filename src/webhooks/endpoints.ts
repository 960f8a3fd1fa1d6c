import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../database/database.ts';
import { acknowledge, storedCursor } from '../events/consumers.ts';
import type { EventCursor } from '../events/cursor.ts';
import { lagAfter } from '../events/lag.ts';
import { cursorFromNow, type EventSource } from '../events/listEvents.ts';
import { InvalidCursorError } from '../events/validCursor.ts';
import type { WebhookId } from '../ids.ts';
import { ApiError } from '../protocol/errors.ts';
import type { EventType } from '../protocol/schema/events.ts';
import { activate, consumerOf, pause as setPaused } from './progress.ts';

/* What operators do with endpoints. Every node finds the changes within two seconds. */

/** Milliseconds for which a replay waits until no node delivers: longer than an attempt and than a lease. */
const PATIENCE = 20_000;
const RETRY = 100;

/** An endpoint as operators see it. */
export interface Webhook {
  readonly id: WebhookId;
  readonly url: string;
  /** Null: all. */
  readonly types: readonly EventType[] | null;
  readonly createdAt: Date;
  readonly state: 'active' | 'paused';
  readonly pausedAt: Date | null;
  readonly pauseReason: string | null;
  /** Failed attempts of the present batch, and the first of them. */
  readonly attempts: number;
  readonly failingSince: Date | null;
  readonly nextAttemptAt: Date | null;
  readonly lastSuccessAt: Date | null;
  readonly lastFailureAt: Date | null;
  readonly lastFailure: string | null;
}

/** Returns a random secret in the form of https://www.standardwebhooks.com. */
export const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/** Creates an endpoint for everything that is committed from now on. */
export async function createEndpoint(
  source: EventSource,
  url: string,
  types: readonly EventType[] | null,
  secret: string,
): Promise<Webhook> {
  const cursor = await cursorFromNow(source);
  const bind = [url, types && JSON.stringify(types), secret, JSON.stringify(cursor)];
  const [created] = await source.db.execute<Webhook>(insert, bind);
  if (!created) throw new Error('a webhook was not created');
  return created;
}

/** Returns all endpoints. `lagSeconds` is the age of the oldest event that is to be delivered; null if events are lost. */
export async function listEndpoints(
  source: EventSource,
): Promise<(Webhook & { readonly lagSeconds: number | null })[]> {
  const found = await source.db.query<Webhook & { cursor: EventCursor }>(all, []);
  return Promise.all(
    found.map(async ({ cursor, ...webhook }) => ({
      ...webhook,
      lagSeconds: await lagAfter(source, cursor, webhook.types ?? undefined),
    })),
  );
}

/** Pauses an endpoint. The attempt that is under way is finished. */
export async function pauseEndpoint({ db }: EventSource, id: WebhookId): Promise<Webhook> {
  await setPaused(db, id, null);
  return find(db, id);
}

/** Resumes an endpoint where it was. Refuses with an `InvalidCursorError` if events after its place are lost. */
export async function resumeEndpoint(source: EventSource, id: WebhookId): Promise<Webhook> {
  const [place] = await source.db.query<{ cursor: EventCursor }>(placeOf, [consumerOf(id)]);
  if (!place) throw notFound(id);
  await storedCursor(source, place.cursor);
  await activate(source.db, id, false);
  return find(source.db, id);
}

/**
 * Delivers everything after a cursor again, and resumes the endpoint. It is paused until no node delivers to it, and stays
 * so if that does not happen in time.
 */
export async function replayEndpoint(
  source: EventSource,
  id: WebhookId,
  cursor: EventCursor,
): Promise<Webhook> {
  const { db } = source;
  await find(db, id);
  await setPaused(db, id, 'a replay has not ended');
  const deadline = performance.now() + PATIENCE;
  while (!(await moveFree(source, id, cursor, performance.now() > deadline))) await delay(RETRY);
  await activate(db, id, true);
  return find(db, id);
}

/** Moves the place of an endpoint to which no node delivers. Returns false if one does; refuses then at the end. */
async function moveFree(
  source: EventSource,
  id: WebhookId,
  cursor: EventCursor,
  isEnd: boolean,
): Promise<boolean> {
  try {
    await acknowledge(source, { consumer: consumerOf(id) }, cursor);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError) || error instanceof InvalidCursorError) throw error;
    if (isEnd)
      throw new ApiError('CONFLICT', `A node still delivers to the webhook ${id}. It is paused; try again`);
    return false;
  }
}

/** Deletes an endpoint and its place. The attempt that is under way is finished. */
export async function deleteEndpoint({ db }: EventSource, id: WebhookId): Promise<void> {
  const [removed] = await db.execute(remove, [id, consumerOf(id)]);
  if (!removed) throw notFound(id);
}

async function find(db: Database, id: WebhookId): Promise<Webhook> {
  const [found] = await db.query<Webhook>(one, [id]);
  if (!found) throw notFound(id);
  return found;
}

const notFound = (id: WebhookId) => new ApiError('NOT_FOUND', `There is no webhook ${id}`);

const columns = `
id, url, types, created_at as "createdAt", case when paused_at is null then 'active' else 'paused' end as state,
  paused_at as "pausedAt",
  case when paused_at is not null then coalesce(pause_reason, 'by an operator') end as "pauseReason",
  attempts, failing_since as "failingSince", next_attempt_at as "nextAttemptAt", last_success_at as "lastSuccessAt",
  last_failure_at as "lastFailureAt", last_failure as "lastFailure"
`;

const insert = `
with created as (
  insert into webhooks (url, types, secret)
  values ($1, (select array_agg(type) from jsonb_array_elements_text($2::jsonb) as type), $3)
  returning *
), consumer as (
  insert into event_consumers (name, cursor) select 'webhook:' || id, $4::jsonb from created
)
select ${columns} from created
`;

const all = `
select ${columns}, cursor from webhooks join event_consumers on name = 'webhook:' || id order by id
`;

const one = `
select ${columns} from webhooks where id = $1
`;

const placeOf = 'select cursor from event_consumers where name = $1';

const remove = `
with consumer as (delete from event_consumers where name = $2)
delete from webhooks where id = $1 returning id
`;
