import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { isTransient } from '../database/failures.ts';
import { type Recurring, recurring } from '../database/recurring.ts';
import { ApiError } from '../protocol/errors.ts';
import {
  acknowledge,
  type Lease,
  releaseLease,
  renewLease,
  servedElsewhere,
  takeLease,
} from './consumers.ts';
import type { EventCursor } from './cursor.ts';
import { type EventFilter, type EventPage, type EventSource, listEvents } from './listEvents.ts';
import { ReadingSchedule } from './ReadingSchedule.ts';

/** Milliseconds between two reads while there are no events: one cheap statement. */
const POLL_INTERVAL = 500;
/** Milliseconds after which the lease is renewed. */
const RENEWAL = 2_000;
/** The default maximum of events of a batch, and of batches that wait for their acknowledgement. */
const BATCH = 200;
const MAX_UNACKNOWLEDGED = 4;

export interface SubscriptionOptions extends Lease, Pick<EventFilter, 'types'> {
  /** Sends a batch to the consumer, which acknowledges it by its `nextCursor`. */
  push(batch: EventPage): void;
  /** Called once if the subscription ends by itself: another connection serves the consumer, or the cursor is lost. */
  ended(reason: ApiError): void;
  /** Maximum number of events of a batch. */
  readonly limit?: number;
  readonly maxUnacknowledged?: number;
  readonly log: Logger;
}

/**
 * Pushes events to a consumer, from the last acknowledgement on, in batches, each once. Only one subscription of a consumer
 * exists on all nodes. Waits while `maxUnacknowledged` batches are not acknowledged; what is not acknowledged when it ends,
 * the next subscription pushes again.
 */
export class EventSubscription {
  readonly #source: EventSource;
  readonly #options: SubscriptionOptions;
  readonly #reading: Recurring;
  /** The cursors of the batches that are not acknowledged, as text, oldest first. */
  readonly #unacknowledged: string[] = [];
  /** The cursor of the last batch that was. */
  #acknowledged: string | undefined;
  readonly #schedule = new ReadingSchedule();
  #cursor: EventCursor;
  #renewedAt: number;
  #state: 'open' | 'ended' = 'open';

  /**
   * Refuses with `CONFLICT` if another connection serves the consumer, and with an `InvalidCursorError` if its cursor is no
   * longer valid.
   */
  static async open(source: EventSource, options: SubscriptionOptions): Promise<EventSubscription> {
    const start = performance.now();
    return new EventSubscription(source, options, await takeLease(source, options), start);
  }

  private constructor(
    source: EventSource,
    options: SubscriptionOptions,
    cursor: EventCursor,
    leasedAt: number,
  ) {
    this.#renewedAt = leasedAt;
    this.#source = source;
    this.#options = options;
    this.#cursor = cursor;
    this.#reading = recurring(POLL_INTERVAL, (closing) => this.#pushAll(closing));
  }

  /** Stores that the consumer has processed all batches up to the one with this `nextCursor`. */
  async acknowledge(cursor: EventCursor): Promise<void> {
    const text = JSON.stringify(cursor);
    if (text === this.#acknowledged) return;
    if (!this.#unacknowledged.includes(text))
      throw new ApiError('NOT_FOUND', 'No batch with this cursor waits for its acknowledgement');
    await acknowledge(this.#source, this.#options, cursor);
    this.#acknowledged = text;
    this.#unacknowledged.splice(0, this.#unacknowledged.indexOf(text) + 1);
    this.#reading.runSoon();
  }

  /** Ends the subscription and lets another connection serve the consumer at once. */
  async close(): Promise<void> {
    this.#state = 'ended';
    await this.#reading.close();
    await releaseLease(this.#source.db, this.#options).catch(() => {}); // it ends by itself
  }

  async #pushAll(closing: AbortSignal): Promise<void> {
    try {
      while (this.#isOpen(closing) && (await this.#pushNext(closing)));
    } catch (error) {
      if (error instanceof ApiError && error.code === 'CONFLICT') this.#end(error);
      else if (!isTransient(error))
        this.#options.log.error({ err: error }, 'failed to read events; retrying');
    }
  }

  /** Pushes the next batch; returns false if there may be no other, or it has to wait. */
  async #pushNext(closing: AbortSignal): Promise<boolean> {
    if (!(await this.#holdLease())) return false;
    const { types, limit = BATCH, maxUnacknowledged = MAX_UNACKNOWLEDGED } = this.#options;
    if (this.#unacknowledged.length >= maxUnacknowledged) return false;
    const start = performance.now();
    const batch = await listEvents(this.#source, { cursor: this.#cursor, types, limit });
    if (!(await this.#holdLease()) || !this.#isOpen(closing)) return false;
    this.#cursor = batch.nextCursor;
    if (batch.events.length === 0) return batch.more;
    this.#unacknowledged.push(JSON.stringify(batch.nextCursor));
    this.#options.push(batch);
    const end = performance.now();
    this.#schedule.record(batch.newestId, end);
    await delay(this.#schedule.restAfter(end - start), undefined, { signal: closing }).catch(() => {});
    return true;
  }

  #isOpen(closing: AbortSignal): boolean {
    return this.#state === 'open' && !closing.aborted;
  }

  /** Renews the lease when it is time, so that nothing is pushed after another connection has taken it. */
  async #holdLease(): Promise<boolean> {
    const now = performance.now();
    if (now - this.#renewedAt < RENEWAL) return true;
    const reached = this.#unacknowledged.length === 0 ? this.#cursor : undefined;
    const isHeld = await renewLease(this.#source.db, this.#options, reached);
    if (isHeld) this.#renewedAt = now;
    else this.#end(servedElsewhere(this.#options.consumer));
    return isHeld;
  }

  #end(reason: ApiError): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    void this.#reading.close();
    void releaseLease(this.#source.db, this.#options).catch(() => {}); // it ends by itself
    this.#options.ended(reason);
  }
}
