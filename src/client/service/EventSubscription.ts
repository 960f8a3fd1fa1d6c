import { setTimeout as pause } from 'node:timers/promises';
import { createBackoff } from '../backoff.ts';
import { Emitter } from '../Emitter.ts';
import { type ErrorCode, isPassing, ParleyError } from '../errors.ts';
import { Connection, type ServicePush } from './Connection.ts';
import type { Event, EventType } from './commands.ts';
import type { ServiceOptions } from './options.ts';

/**
 * The state of a subscription: `connecting` at first, `active` while it receives events, `standby` while another connection
 * serves the consumer, `offline` between connections, and `closed` at the end.
 */
export type SubscriptionState = 'connecting' | 'active' | 'standby' | 'offline' | 'closed';

/** The options of a subscription. */
export interface SubscribeOptions {
  /** Only events of these types. Default: all. */
  readonly types?: readonly EventType[];
  /** Called with each new state. */
  readonly onState?: (state: SubscriptionState) => void;
  /**
   * Called with what the handler has thrown, or with a fault of the server, before the events are handed over again after a
   * pause of up to 30 seconds. Default: `console.error`.
   */
  readonly onError?: (error: unknown) => void;
}

/** Processes the events of a batch, in their order. They are acknowledged when the promise resolves. */
export type EventHandler = (events: readonly Event[]) => unknown;

interface Notices {
  state: SubscriptionState;
  error: unknown;
}

/** Milliseconds of the first pause after an error, and of the longest. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;

/**
 * Receives the events of a consumer and hands them over, one batch after another. Has a connection of its own, because a
 * consumer is served as long as its connection is open: after an error the subscription begins again over another one, with
 * what is not acknowledged, in its present state. Created by {@link Service.consume}.
 */
export class EventSubscription {
  /** The name of the consumer. */
  readonly consumer: string;
  /**
   * Resolves when the subscription is closed. Rejects with a {@link ParleyError} if it ends by itself: with `CONFLICT` if the
   * cursor of the consumer is not valid any more, with `UNAUTHORIZED` if the key was revoked, with `FORBIDDEN` if it does not
   * have the scope `events`.
   */
  readonly ended: Promise<void>;
  readonly #types: readonly EventType[] | undefined;
  readonly #handle: EventHandler;
  readonly #connection: Connection;
  readonly #notices = new Emitter<Notices>();
  readonly #backoff = createBackoff(FIRST_PAUSE, LONGEST_PAUSE, 0.5);
  readonly #closing = new AbortController();
  /** Batches of the open connection that are not begun. */
  readonly #batches: ServicePush['params'][] = [];
  /** Ends the wait for a batch. */
  #wake = () => {};
  /** Resolves when the connections before are not served any more. */
  #served: Promise<void> = Promise.resolve();
  #state: SubscriptionState = 'connecting';
  #resolveEnded = () => {};
  #rejectEnded: (error: unknown) => void = () => {};

  constructor(
    options: ServiceOptions,
    consumer: string,
    { types, onState = () => {}, onError = console.error }: SubscribeOptions,
    handle: EventHandler,
    failed: (error: Error) => void,
  ) {
    this.consumer = consumer;
    this.#types = types;
    this.#handle = handle;
    this.#notices.on('state', onState);
    this.#notices.on('error', onError);
    this.ended = new Promise((resolve, reject) => {
      this.#resolveEnded = resolve;
      this.#rejectEnded = reject;
    });
    this.#connection = new Connection(options, {
      opened: (lost) => {
        this.#served = this.#served.then(() => this.#serve(lost));
      },
      pushed: ({ type, params }) => {
        if (type !== 'subscribeEvents') return; // of a newer server
        if (params.reason !== null) return this.#connection.restart();
        this.#batches.push(params);
        this.#wake();
      },
      lost: () => {
        this.#batches.length = 0;
        this.#wake();
        this.#become('offline');
      },
      failed,
      closed: (error) => this.#end(error),
    });
  }

  /** The present state. */
  get state(): SubscriptionState {
    return this.#state;
  }

  /** Ends the subscription. Resolves when the handler has finished with the batch that it has begun. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await this.#served;
    this.#end();
  }

  /** Subscribes over a connection, and processes the batches until it is lost. */
  async #serve(lost: AbortSignal): Promise<void> {
    const over = AbortSignal.any([lost, this.#closing.signal]);
    try {
      while (!over.aborted && !(await this.#subscribe(over)));
      while (!over.aborted) await this.#processNext(lost, over);
    } catch (error) {
      if (over.aborted) return;
      if (!isTemporary(error)) return this.#end(error);
      await this.#beginAgain(error, over);
    }
  }

  /** Subscribes; returns false after a pause if another connection serves the consumer. */
  async #subscribe(over: AbortSignal): Promise<boolean> {
    const { consumer } = this;
    const params = this.#types ? { consumer, types: [...this.#types] } : { consumer };
    let retryAfter = 0;
    try {
      await this.#connection.call('subscribeEvents', params, { signal: over });
    } catch (error) {
      if (!isCode(error, 'CONFLICT') || !error.retryAfter) throw error;
      retryAfter = error.retryAfter;
    }
    this.#connection.proven();
    this.#become(retryAfter ? 'standby' : 'active');
    if (retryAfter) await pause(retryAfter * 1000, undefined, { signal: over });
    return !retryAfter;
  }

  /** Processes the next batch, or waits until there may be one. */
  async #processNext(lost: AbortSignal, over: AbortSignal): Promise<void> {
    const batch = this.#batches.shift();
    if (!batch)
      return new Promise((resolve) => {
        this.#wake = resolve;
      });
    try {
      await this.#handle(batch.data);
    } catch (error) {
      return this.#beginAgain(error, over);
    }
    const params = { consumer: this.consumer, cursor: batch.nextCursor ?? '' };
    try {
      await this.#connection.call('acknowledgeEvents', params, { signal: lost });
      this.#backoff.reset();
    } catch (error) {
      if (lost.aborted) return; // the batch is pushed again
      if (!isCode(error, 'NOT_FOUND') && !isCode(error, 'CONFLICT')) throw error;
      this.#connection.restart(); // subscribing again shows why
    }
  }

  /** Reports an error, and opens another connection after a pause. */
  async #beginAgain(error: unknown, over: AbortSignal): Promise<void> {
    this.#notices.emit('error', error);
    await pause(this.#backoff.next(), undefined, { signal: over }).catch(() => {});
    if (!over.aborted) this.#connection.restart();
  }

  #become(state: SubscriptionState): void {
    if (this.#state === state || this.#state === 'closed') return;
    this.#state = state;
    this.#notices.emit('state', state);
  }

  #end(error?: unknown): void {
    if (this.#state === 'closed') return;
    this.#become('closed');
    this.#connection.close();
    if (!error) return this.#resolveEnded();
    this.#notices.emit('error', error);
    this.#rejectEnded(error);
  }
}

function isCode(error: unknown, code: ErrorCode): error is ParleyError {
  return error instanceof ParleyError && error.code === code;
}

/** Returns true for a fault of the server after which the same may succeed. */
function isTemporary(error: unknown): boolean {
  return (
    error instanceof ParleyError &&
    (isPassing(error.code) || error.code === 'INTERNAL' || error.code === 'TIMEOUT')
  );
}
