import type { Database } from '../database/database.ts';
import type { WebhookId } from '../ids.ts';
import type { EventType } from '../protocol/schema/events.ts';

/* What the nodes know and store of endpoints while they deliver. */

/** Hours after the first failed attempt of a batch, after which its endpoint is paused. */
const RETRY_HOURS = 24;

/** Returns the consumer of the events of an endpoint. No client can choose this name, because of the colon. */
export const consumerOf = (id: WebhookId): string => `webhook:${id}`;

/** An endpoint as a node finds it. */
export interface Endpoint {
  readonly id: WebhookId;
  readonly url: string;
  readonly types: readonly EventType[] | null;
  readonly secret: string;
  readonly replays: number;
  readonly isPaused: boolean;
  /** True if it was not paused by an operator. */
  readonly isPausedByServer: boolean;
  /** Time of the first event of the batch that was not accepted. */
  readonly oldestAt: Date | null;
  /** True if it is time to deliver, and no node does. */
  readonly isFree: boolean;
}

/** Returns all endpoints. */
export const findEndpoints = (db: Database): Promise<Endpoint[]> => db.query<Endpoint>(all, []);

export async function findEndpoint(db: Database, id: WebhookId): Promise<Endpoint | undefined> {
  return (await db.query<Endpoint>(`${endpoints} where id = $1`, [id]))[0];
}

const endpoints = `
select id, url, types, secret, replays, paused_at is not null as "isPaused",
  pause_reason is not null as "isPausedByServer", oldest_at as "oldestAt",
  paused_at is null and coalesce(next_attempt_at <= clock_timestamp(), true)
    and (holder is null or lease_until < clock_timestamp()) as "isFree"
from webhooks join event_consumers on name = 'webhook:' || id
`;

/** There are a few, and most often none. */
const all = `${endpoints} order by id`;

/** Notes that an endpoint has accepted a batch. */
export async function noteSuccess(db: Database, id: WebhookId): Promise<void> {
  await db.execute(success, [id]);
}

const success = `
update webhooks set attempts = 0, failing_since = null, oldest_at = null, next_attempt_at = null,
  last_success_at = clock_timestamp()
where id = $1
`;

export interface Failure {
  readonly id: WebhookId;
  /** The holder of the lease. If another one has it, nothing is stored. */
  readonly holder: string;
  /** Time of the first event of the batch. */
  readonly oldestAt: Date;
  readonly problem: string;
  /** The reason for which the endpoint is paused at once, if it is. */
  readonly pauseReason: string | null;
}

/**
 * Notes a failed attempt. Pauses the endpoint if there is a reason, or if it has been failing for {@link RETRY_HOURS}.
 * Returns the number of failed attempts of the batch, and the reason if it was paused; undefined if nothing was stored.
 */
export async function noteFailure(
  db: Database,
  { id, holder, oldestAt, problem, pauseReason }: Failure,
): Promise<{ readonly attempts: number; readonly pauseReason: string | null } | undefined> {
  const exhausted = `no success for ${RETRY_HOURS} hours: ${problem}`;
  const bind = [id, holder, oldestAt, problem, pauseReason, exhausted, RETRY_HOURS];
  const [stored] = await db.execute<{ attempts: number; pauseReason: string | null }>(failure, bind);
  return stored;
}

/**
 * Back-off with full jitter: after the nth failed attempt up to 2^(n-1) seconds, at most 15 minutes
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
const backoff = 'random() * make_interval(secs => least(900, power(2, least(attempts, 10))))';
const isExhausted = 'failing_since <= clock_timestamp() - make_interval(hours => $7::int)';

const failure = `
update webhooks set attempts = attempts + 1, failing_since = coalesce(failing_since, clock_timestamp()), oldest_at = $3,
  next_attempt_at = clock_timestamp() + ${backoff}, last_failure_at = clock_timestamp(), last_failure = $4,
  paused_at = case when $5::text is not null or ${isExhausted} then clock_timestamp() end,
  pause_reason = coalesce($5, case when ${isExhausted} then $6 end)
where id = $1 and paused_at is null and exists (
  select from event_consumers where name = 'webhook:' || webhooks.id and holder = $2
)
returning attempts, pause_reason as "pauseReason"
`;

/** Pauses an endpoint unless it is paused; a null reason: by an operator. Returns whether this changed anything. */
export async function pause(db: Database, id: WebhookId, reason: string | null): Promise<boolean> {
  return (await db.execute(setPaused, [id, reason])).length > 0;
}

const setPaused = `
update webhooks set paused_at = clock_timestamp(), pause_reason = $2 where id = $1 and paused_at is null returning id
`;

/** Has an endpoint delivered to at once, as if nothing had failed. */
export async function activate(db: Database, id: WebhookId, isReplay: boolean): Promise<boolean> {
  return (await db.execute(setActive, [id, isReplay])).length > 0;
}

const setActive = `
update webhooks set paused_at = null, pause_reason = null, attempts = 0, failing_since = null, oldest_at = null,
  next_attempt_at = null, replays = replays + $2::boolean::int
where id = $1
returning id
`;
