import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '../database/clock.ts';
import { isTransient } from '../database/failures.ts';
import { acknowledge, type Lease } from '../events/consumers.ts';
import type { EventCursor } from '../events/cursor.ts';
import { EventSubscription } from '../events/EventSubscription.ts';
import type { EventPage, EventSource } from '../events/listEvents.ts';
import type { Metrics } from '../observability/metrics.ts';
import { ApiError } from '../protocol/errors.ts';
import { batchOf, headersOf } from './batch.ts';
import { post, RefusedError, TimeoutError } from './post.ts';
import { consumerOf, type Endpoint, findEndpoint, noteFailure, noteSuccess } from './progress.ts';

/** Maximum number of events of a batch. */
const BATCH = 100;
/** Milliseconds for which an attempt may take. */
const TIMEOUT = 10_000;

export interface DeliveryServices {
  readonly source: EventSource;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'webhookAttempted' | 'webhookPaused'>;
  readonly allowsPrivate: boolean;
}

/** The end of an attempt, as in the metric `parley_webhook_attempts_total`. */
export type Outcome = 'accepted' | 'gone' | 'rejected' | 'timeout' | 'refused' | 'failed';

/**
 * Delivers the events of one endpoint, batch after batch, for as long as this node has the lease of its consumer and all
 * batches are accepted. After a failed attempt it ends: when it is time for the next one, any node begins again.
 */
export class EndpointDelivery {
  readonly #services: DeliveryServices;
  readonly #endpoint: Endpoint;
  readonly #lease: Lease;
  readonly #aborting = new AbortController();
  readonly #ended: () => void;
  #subscription: EventSubscription | undefined;
  #state: 'open' | 'ending' = 'open';
  #delivering: Promise<void> = Promise.resolve();
  #ending: Promise<void> | undefined;
  /** The place that is stored for the consumer, as text. */
  #stored = '';
  #oldest: Date | undefined;

  /**
   * Begins behind the last batch that was accepted; `ended` is called once it has ended. Refuses with `CONFLICT` if another
   * node delivers, and with an `InvalidCursorError` if events may have been lost.
   */
  static async open(
    services: DeliveryServices,
    endpoint: Endpoint,
    ended: () => void,
  ): Promise<EndpointDelivery> {
    const delivery = new EndpointDelivery(services, endpoint, ended);
    delivery.#subscription = await EventSubscription.open(services.source, {
      ...delivery.#lease,
      ...{ types: endpoint.types ?? undefined, limit: BATCH, maxUnacknowledged: 1, log: services.log },
      push: (batch) => {
        delivery.#delivering = delivery.#deliver(batch);
      },
      ended: () => void delivery.end(0),
    });
    return delivery;
  }

  private constructor(services: DeliveryServices, endpoint: Endpoint, ended: () => void) {
    this.#services = services;
    this.#endpoint = endpoint;
    this.#lease = { consumer: consumerOf(endpoint.id), holder: randomUUID() };
    this.#ended = ended;
  }

  /** Time of the first event of the batch that is being delivered; undefined if there is none. */
  get oldest(): Date | undefined {
    return this.#oldest;
  }

  /** Delivers no other batch, and aborts the present one after some milliseconds. Then any node may deliver. */
  end(milliseconds: number): Promise<void> {
    this.#state = 'ending';
    const timer = setTimeout(() => this.#aborting.abort(), milliseconds);
    this.#ending ??= this.#end();
    return this.#ending.finally(() => clearTimeout(timer));
  }

  async #end(): Promise<void> {
    await this.#delivering;
    await this.#subscription?.close();
    this.#ended();
  }

  async #deliver(batch: EventPage): Promise<void> {
    if (this.#state !== 'open') return;
    try {
      this.#oldest = new Date(batch.events[0]?.time ?? 0);
      if (await this.#attempt(batch)) return;
    } catch (error) {
      if (!(error instanceof ApiError) && !isTransient(error)) await this.#logFault(error);
    } finally {
      this.#oldest = undefined;
    }
    void this.end(0);
  }

  /** Logs a fault of the server. It counts as a failed attempt, so that it is not repeated every second. */
  async #logFault(error: unknown): Promise<void> {
    this.#services.log.error({ err: error, webhookId: this.#endpoint.id }, 'failed to deliver events');
    await this.#fail('a fault of the server, which is in the log', null).catch(() => {});
  }

  /** Makes an attempt and stores how it ended. Returns true if the next batch may follow. */
  async #attempt(batch: EventPage): Promise<boolean> {
    const { source, metrics } = this.#services;
    const { id } = this.#endpoint;
    // It may have been paused or replayed before this node had the lease.
    const endpoint = await findEndpoint(source.db, id);
    if (!endpoint || endpoint.isPaused) return false;
    // Whoever makes the next attempt reads the same events from here.
    await this.#store(batch.cursor, () => acknowledge(source, this.#lease, batch.cursor));
    const { outcome, problem } = await this.#post(endpoint, batch);
    if (outcome !== 'accepted' && this.#aborting.signal.aborted) return false; // nobody knows
    metrics.webhookAttempted(outcome);
    if (outcome === 'accepted') {
      await noteSuccess(source.db, id);
      await this.#store(batch.nextCursor, () => this.#subscription?.acknowledge(batch.nextCursor));
      return true;
    }
    await this.#fail(problem, outcome === 'gone' ? 'the endpoint answered 410' : null);
    return false;
  }

  /** Stores a place unless it is the one that is stored. */
  async #store(cursor: EventCursor, store: () => Promise<void> | undefined): Promise<void> {
    const text = JSON.stringify(cursor);
    if (text !== this.#stored) await store();
    this.#stored = text;
  }

  async #post(endpoint: Endpoint, { events }: EventPage): Promise<{ outcome: Outcome; problem: string }> {
    const { clock, allowsPrivate } = this.#services;
    const { url, secret } = endpoint;
    const batch = batchOf(endpoint, events);
    const headers = headersOf(batch, secret, new Date(clock.now()));
    return outcomeOf(url, headers, batch.body, {
      ...{ allowsPrivate, timeout: TIMEOUT, signal: this.#aborting.signal },
    });
  }

  async #fail(problem: string, pauseReason: string | null): Promise<void> {
    const { source, log, metrics } = this.#services;
    const webhookId = this.#endpoint.id;
    const failure = { id: webhookId, holder: this.#lease.holder, oldestAt: this.#oldest ?? new Date() };
    const stored = await noteFailure(source.db, { ...failure, problem, pauseReason });
    if (!stored) return;
    const { attempts, pauseReason: reason } = stored;
    if (reason === null) return log.warn({ webhookId, attempts, problem }, 'webhook failed; retrying');
    metrics.webhookPaused();
    log.error({ webhookId, attempts, reason }, 'webhook paused');
  }
}

/** Posts a batch. `problem` says for operators why it was not accepted. */
export async function outcomeOf(
  ...request: Parameters<typeof post>
): Promise<{ readonly outcome: Outcome; readonly problem: string }> {
  try {
    const status = await post(...request);
    const outcome = status >= 200 && status < 300 ? 'accepted' : status === 410 ? 'gone' : 'rejected';
    return { outcome, problem: `status ${status}` };
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    if (error instanceof RefusedError) return { outcome: 'refused', problem: message };
    if (error instanceof TimeoutError) return { outcome: 'timeout', problem: message };
    return { outcome: 'failed', problem: code ?? message };
  }
}
