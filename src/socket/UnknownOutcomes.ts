import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import type { Topic } from '../bus/topics.ts';
import type { Database } from '../database/database.ts';
import type { ChatId } from '../ids.ts';
import type { MessageDraft } from '../messages/drafts.ts';
import { topicsOf } from '../messages/publishMessage.ts';
import { type Committed, committedMessages } from './reconcile.sql.ts';

/** Seconds between the searches for a message: a statement that was cut off may be committed late. */
const SEARCHES = [0, 1, 2, 4, 8, 16];
/** Milliseconds before a search that failed is tried again. */
const RETRY = 1_000;
/** Messages that are searched for at most; rounds find the others. */
const MAX_MESSAGES = 10_000;

interface UnknownMessage extends Pick<MessageDraft, 'senderId' | 'clientMessageId' | 'origin'> {
  readonly chatId: ChatId;
  readonly topics: readonly Topic[];
}

/** Searches for messages of which it is not known whether they were committed, and publishes those that were. */
export class UnknownOutcomes {
  readonly #db: Database;
  readonly #bus: Bus;
  readonly #log: Logger;
  readonly #closed: AbortSignal;
  readonly #messages = new Map<string, UnknownMessage>();
  #search: AbortController | undefined;

  constructor(db: Database, bus: Bus, log: Logger, closed: AbortSignal) {
    this.#db = db;
    this.#bus = bus;
    this.#log = log;
    this.#closed = closed;
  }

  /** Adds messages, and begins the searches for all of them again. */
  add(drafts: readonly MessageDraft[], chatIds: readonly (ChatId | null)[]): void {
    for (const [index, draft] of drafts.entries()) {
      const chatId = chatIds[index];
      if (chatId != null) this.#addOne(draft, chatId);
    }
    this.#search?.abort();
    const search = new AbortController();
    this.#search = search;
    this.#searchAll(AbortSignal.any([this.#closed, search.signal])).then(
      () => this.#search === search && this.#messages.clear(),
      () => {}, // aborted: by the next search, or at the end
    );
  }

  #addOne(draft: MessageDraft, chatId: ChatId): void {
    const topics = topicsOf(draft);
    // Messages behind it must wait, where it is not known how far the chat was delivered.
    for (const topic of topics)
      if (this.#bus.position(topic, chatId) === undefined)
        this.#bus.catchUp(topic, { chatId, seq: Number.POSITIVE_INFINITY });
    const { senderId, clientMessageId, origin } = draft;
    // One of several without a clientMessageId is enough to find the chat.
    const key = `${chatId} ${senderId} ${clientMessageId ?? ''}`;
    this.#messages.set(key, { chatId, senderId, clientMessageId, origin, topics });
    if (this.#messages.size > MAX_MESSAGES)
      this.#messages.delete(this.#messages.keys().next().value as string);
  }

  async #searchAll(until: AbortSignal): Promise<void> {
    for (const seconds of SEARCHES) {
      await delay(seconds * 1000, undefined, { signal: until, ref: false });
      for (let isDone = false; !isDone; )
        try {
          await this.#publishCommitted([...this.#messages.values()]);
          isDone = true;
        } catch (error) {
          this.#log.debug({ err: error }, 'failed to read messages of unknown outcome; retrying');
          await delay(RETRY, undefined, { signal: until, ref: false });
        }
    }
  }

  /** Publishes to every node how far the chats of these messages are. */
  async #publishCommitted(messages: readonly UnknownMessage[]): Promise<void> {
    const names = messages.map(({ chatId, senderId, clientMessageId }) => ({
      chat: chatId,
      sender: senderId,
      name: clientMessageId,
    }));
    const committed = await this.#db.query<Committed>(committedMessages, [JSON.stringify(names)]);
    for (const { at, head, own } of committed) {
      const { topics, chatId, origin } = messages[at] as UnknownMessage;
      for (const topic of topics) {
        // A sender who sends it again gets a reply for it.
        if (own !== null) this.#bus.catchUp(topic, { chatId, seq: own }, origin);
        this.#bus.publishHead(topic, { chatId, seq: head });
      }
    }
  }
}
