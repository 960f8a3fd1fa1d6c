import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Cursors } from '../protocol/cursor.ts';
import { ApiError } from '../protocol/errors.ts';
import { encodePush, type Fields } from '../protocol/frames.ts';
import type { EventType } from '../protocol/schema/events.ts';
import { acknowledge, addConsumer } from './consumers.ts';
import { type EventCursor, encodeEventCursor } from './cursor.ts';
import { EventSubscription } from './EventSubscription.ts';
import type { EventSource } from './listEvents.ts';
import { InvalidCursorError } from './validCursor.ts';

/** The fields of a push that it does not have. */
const NOTHING = { data: [], nextCursor: null, reason: null };

/** The events, and the consumers that the connections of this node serve. */
export class EventFeed {
  readonly source: EventSource;
  readonly cursors: Cursors;
  readonly #log: Logger;
  readonly #connections = new Set<ConnectionEvents>();
  readonly #closing = new Set<Promise<void>>();

  constructor(source: EventSource, cursors: Cursors, log: Logger) {
    this.source = source;
    this.cursors = cursors;
    this.#log = log;
  }

  /** Returns the consumers of a new connection, to which pushes are sent. */
  connect(send: (frame: string) => void): ConnectionEvents {
    const closed = (subscriptions: Promise<void>) => {
      this.#connections.delete(connection);
      this.#closing.add(subscriptions);
      void subscriptions.then(() => this.#closing.delete(subscriptions));
    };
    const connection: ConnectionEvents = new ConnectionEvents(this, this.#log, send, closed);
    this.#connections.add(connection);
    return connection;
  }

  /** Ends all subscriptions, so that another node can serve their consumers at once. */
  async close(): Promise<void> {
    for (const connection of this.#connections) connection.close();
    await Promise.all(this.#closing);
  }
}

/** The consumers that one connection serves. */
export class ConnectionEvents {
  readonly #feed: Pick<EventFeed, 'source' | 'cursors'>;
  readonly #log: Logger;
  readonly #send: (frame: string) => void;
  readonly #closed: (subscriptions: Promise<void>) => void;
  readonly #subscriptions = new Map<string, EventSubscription>();
  /** Consumers that another connection has taken since this one subscribed. */
  readonly #lost = new Set<string>();
  #isClosed = false;

  constructor(
    feed: Pick<EventFeed, 'source' | 'cursors'>,
    log: Logger,
    send: (frame: string) => void,
    closed: (subscriptions: Promise<void>) => void,
  ) {
    this.#feed = feed;
    this.#log = log;
    this.#send = send;
    this.#closed = closed;
  }

  /**
   * Serves a consumer from its last acknowledgement on, also if this connection does so already. Refuses with `CONFLICT` if
   * another connection serves it, or if its cursor is no longer valid.
   */
  async subscribe(consumer: string, types: readonly EventType[] | undefined): Promise<void> {
    await this.#subscriptions.get(consumer)?.close();
    this.#subscriptions.delete(consumer);
    this.#lost.delete(consumer);
    const { source, cursors } = this.#feed;
    const push = (fields: Fields) =>
      this.#send(encodePush('subscribeEvents', null, null, { ...NOTHING, consumer, ...fields }));
    await addConsumer(source, consumer);
    const subscription = await EventSubscription.open(source, {
      ...{ consumer, holder: randomUUID(), types, log: this.#log },
      push: ({ events: data, nextCursor }) =>
        push({ data, nextCursor: encodeEventCursor(cursors, nextCursor) }),
      ended: (error) => {
        this.#subscriptions.delete(consumer);
        if (!(error instanceof InvalidCursorError)) this.#lost.add(consumer);
        push({ reason: error.message });
      },
    });
    if (this.#isClosed) await subscription.close();
    else this.#subscriptions.set(consumer, subscription);
  }

  /**
   * Stores that a consumer has processed everything before a cursor: a batch that was pushed to this connection, or, if no
   * connection serves the consumer, any cursor. Refuses with `NOT_FOUND` if there is no such batch, and with `CONFLICT` if
   * another connection serves it, or if the cursor is no longer valid.
   */
  async acknowledge(consumer: string, cursor: EventCursor): Promise<void> {
    if (this.#lost.has(consumer))
      throw new ApiError('NOT_FOUND', 'No batch of this connection waits for its acknowledgement');
    const subscription = this.#subscriptions.get(consumer);
    await (subscription?.acknowledge(cursor) ?? acknowledge(this.#feed.source, { consumer }, cursor));
  }

  /** Ends the subscriptions of a connection that has closed. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const subscriptions = [...this.#subscriptions.values()];
    this.#closed(Promise.all(subscriptions.map((one) => one.close())).then(() => {}));
  }
}
