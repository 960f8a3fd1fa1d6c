import { isTransient } from '../database/failures.ts';
import { type Recurring, recurring } from '../database/recurring.ts';
import { InvalidCursorError } from '../events/validCursor.ts';
import type { WebhookId } from '../ids.ts';
import { ApiError } from '../protocol/errors.ts';
import { type DeliveryServices, EndpointDelivery } from './EndpointDelivery.ts';
import { type Endpoint, findEndpoints, pause } from './progress.ts';

/** Milliseconds between two looks at the endpoints: one cheap statement. Up to a tenth more, so that nodes differ. */
const POLL_INTERVAL = 1_000;
/** Milliseconds that an attempt may go on when its endpoint was paused or deleted, and when the server stops. */
const PATIENCE = 10_000;
const GRACE = 1_000;

/** The state of the endpoints as a node knows it, for metrics. */
export interface WebhookReadings {
  /** Seconds since the oldest event that an active endpoint has not accepted; 0 if there is none. */
  readonly lag: number;
  /** Number of endpoints that were not paused by an operator. */
  readonly paused: number;
}

/** Delivers the events of the endpoints for which this node is the first to take the lease. */
export class WebhookDeliverer {
  readonly #services: DeliveryServices;
  readonly #deliveries = new Map<WebhookId, EndpointDelivery>();
  readonly #polling: Recurring;
  #endpoints: readonly Endpoint[] = [];

  constructor(services: DeliveryServices) {
    this.#services = services;
    const interval = POLL_INTERVAL * (1 + Math.random() / 10);
    this.#polling = recurring(interval, (closing) => this.#poll(closing));
  }

  get readings(): WebhookReadings {
    const active = this.#endpoints.filter(({ isPaused }) => !isPaused);
    const oldest = [
      ...active.map(({ oldestAt }) => oldestAt),
      ...[...this.#deliveries.values()].map((delivery) => delivery.oldest),
    ];
    const now = this.#services.clock.now();
    const lags = oldest.map((time) => (time ? (now - time.getTime()) / 1000 : 0));
    return {
      lag: Math.max(0, ...lags),
      paused: this.#endpoints.filter(({ isPausedByServer }) => isPausedByServer).length,
    };
  }

  /** Ends all deliveries, so that other nodes can continue at once. */
  async close(): Promise<void> {
    await this.#polling.close();
    await Promise.all([...this.#deliveries.values()].map((delivery) => delivery.end(GRACE)));
  }

  async #poll(closing: AbortSignal): Promise<void> {
    try {
      this.#endpoints = await findEndpoints(this.#services.source.db);
      const active = new Set(this.#endpoints.filter(({ isPaused }) => !isPaused).map(({ id }) => id));
      for (const [id, delivery] of this.#deliveries) if (!active.has(id)) void delivery.end(PATIENCE);
      for (const endpoint of this.#endpoints) {
        if (closing.aborted) return;
        if (endpoint.isFree && !this.#deliveries.has(endpoint.id))
          await this.#begin(endpoint).catch((error) => this.#logFault(error)); // the others are delivered to
      }
    } catch (error) {
      this.#logFault(error);
    }
  }

  #logFault(error: unknown): void {
    if (!isTransient(error)) this.#services.log.error({ err: error }, 'failed to read the webhooks');
  }

  async #begin(endpoint: Endpoint): Promise<void> {
    const { id } = endpoint;
    const { source, log, metrics } = this.#services;
    try {
      const ended = () => this.#deliveries.delete(id);
      this.#deliveries.set(id, await EndpointDelivery.open(this.#services, endpoint, ended));
    } catch (error) {
      if (error instanceof InvalidCursorError) {
        const reason = error.message;
        if (!(await pause(source.db, id, reason))) return;
        metrics.webhookPaused();
        log.error({ webhookId: id, reason }, 'webhook paused');
      } else if (!(error instanceof ApiError)) throw error; // otherwise another node was faster
    }
  }
}
