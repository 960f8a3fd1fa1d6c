import type { Logger } from 'pino';
import type { Transaction } from 'sequelize';
import type { Database } from '../database/database.ts';
import { isRefusedByServer, isUnavailable, NotConnectedError } from '../database/failures.ts';
import { ApiError, LimitError } from '../errors.ts';
import type { ChatId, ConnectionId } from '../ids.ts';
import type { Limits } from '../limits.ts';
import type { DialogDirectory } from './dialogs.ts';
import type { MessageDraft, StoredMessage } from './drafts.ts';
import { encodeExtras, MessageStore, type Result } from './MessageStore.ts';
import { refusalFor } from './refusals.ts';
import {
  bytesOf,
  type Change,
  JOB_BYTES,
  type NextBatch,
  type Send,
  type WriteAnswer,
  WriterQueue,
} from './WriterQueue.ts';

/** Writes a system message inside a change, to be committed together with it. */
export type WriteSystemMessage = (draft: MessageDraft & { kind: 'system' }) => Promise<StoredMessage>;

type BatchOutcome = { readonly results: readonly Result[] } | { readonly error: unknown };

/** Messages on their way to the database. */
interface Batch {
  readonly sends: readonly Send[];
  /** Never rejects. */
  readonly outcome: Promise<BatchOutcome>;
}

export interface WriterObserver {
  /** Called after each committed batch. */
  batchWritten(drafts: readonly MessageDraft[], seconds: number): void;
  /**
   * Called for each stored message, in the order of `seq` within its chat; `reply` is to be called once, when the
   * sender may know.
   */
  messageStored(draft: MessageDraft, stored: StoredMessage, reply: () => void): void;
  /** Called when the database was lost before it answered: nobody knows which of the messages were committed. */
  outcomeUnknown(drafts: readonly MessageDraft[], chatIds: readonly (ChatId | null)[]): void;
}

/**
 * The only place that stores messages, one batch after another: while one is being committed, whatever
 * arrives queues up, and then goes as the next. So latency is one commit when idle, and throughput grows with
 * load by itself. What this node stores in one chat is in the order of the calls, and so are changes among all messages;
 * between chats, messages of one kind may overtake those of another ({@link WriterQueue}).
 */
export class MessageWriter {
  readonly #database: Database;
  readonly #dialogs: DialogDirectory;
  readonly #observer: WriterObserver;
  readonly #log: Logger;
  readonly #store: MessageStore;
  readonly #queue: WriterQueue;
  #running: Promise<void> | undefined;
  /** Batches and changes that were begun, and how many of them are answered. */
  #begun = 0;
  #answered = 0;
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  /** Past the `limits` of messages and changes that wait, no more are taken: a send is answered `UNAVAILABLE`. */
  constructor(
    database: Database,
    dialogs: DialogDirectory,
    observer: WriterObserver,
    log: Logger,
    limits: Limits,
  ) {
    this.#database = database;
    this.#dialogs = dialogs;
    this.#observer = observer;
    this.#log = log;
    this.#store = new MessageStore(database, dialogs);
    this.#queue = new WriterQueue(limits, this.#store);
  }

  /** Jobs that wait for their turn. */
  get queueLength(): number {
    return this.#queue.length;
  }

  /** True if the queue takes another message of the usual size. */
  get hasRoom(): boolean {
    return this.#queue.hasRoom;
  }

  /**
   * Stores a message and answers once it is committed; or with the error: `NOT_FOUND`, `NOT_A_MEMBER`, `CONFLICT`
   * (the `clientMessageId` stands for a message in another chat), `UNAVAILABLE` past the bound of the queue, or
   * what the database said. A callback and not a promise: it runs between the push of this message and that of
   * the next, so that who sees both the reply and other people's pushes sees them in the order of `seq`.
   */
  write(draft: MessageDraft, answer: WriteAnswer): void {
    const extras = encodeExtras(draft);
    const send = { draft, answer, extras, bytes: bytesOf(draft, extras), repeats: [] };
    this.#enqueue(send, (error) => this.#reply(send, { error }));
  }

  /**
   * Runs a change of chats or members in its turn among the messages, in one transaction: what was sent before
   * it is stored before it, what is sent after it meets its effect. `origin` is the connection that asks for it,
   * `committed` publishes it: see {@link Database.transaction}.
   */
  change<T>(
    origin: ConnectionId,
    work: (transaction: Transaction, write: WriteSystemMessage) => Promise<T>,
    committed: (result: T) => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const change = () =>
        this.#database
          .transaction(
            (transaction) => work(transaction, (draft) => this.#writeWithin(transaction, draft)),
            committed,
          )
          .then(resolve, reject);
      this.#enqueue({ change, reject, origin, bytes: 8 * JOB_BYTES }, reject);
    });
  }

  /**
   * Takes back what a connection asked for and is not on its way to the database, because its token is not valid any
   * more; answered with `UNAUTHORIZED`.
   */
  discard(origin: ConnectionId): void {
    for (const job of this.#queue.takeOf(origin)) {
      const error = new ApiError('UNAUTHORIZED', 'The token was revoked before this was done');
      if ('change' in job) job.reject(error);
      else this.#finish(job, { error });
    }
  }

  /** Resolves when all that is on its way to the database now has been published and answered. */
  async underWay(): Promise<void> {
    const count = this.#begun;
    if (count > this.#answered) await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
  }

  /** Resolves when everything accepted so far has been answered. */
  async drain(): Promise<void> {
    while (this.#running) await this.#running;
  }

  #enqueue(job: Send | Change, reject: (error: unknown) => void): void {
    if (!this.#queue.add(job))
      return reject(new LimitError('queue', 'UNAVAILABLE', 'The server is overloaded; retry in a moment', 1));
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // lets the other frames of the same read join the first batch
    let batch = this.#submitNext();
    while (batch || this.#queue.length > 0) {
      if (batch) {
        const outcome = await batch.outcome;
        // The next batch is on its way to the database while this one is answered; not after a failure,
        // whose messages may have to be written again first.
        const next = 'results' in outcome && !outcome.results.some(isStale) ? this.#submitNext() : undefined;
        await this.#settle(batch.sends, outcome);
        this.#noteAnswered();
        batch = next ?? this.#submitNext();
      } else {
        this.#begun++;
        await this.#queue.takeChange()?.change();
        this.#noteAnswered();
        batch = this.#submitNext();
      }
    }
    this.#running = undefined;
  }

  /** Sends the next messages to the database; undefined when a change comes first, or nothing. */
  #submitNext(): Batch | undefined {
    const next = this.#queue.takeBatch();
    if (!next) return undefined;
    this.#begun++;
    return { sends: next.sends, outcome: this.#submit(next) };
  }

  #noteAnswered(): void {
    this.#answered++;
    if (this.#waiting.length === 0) return;
    const isDue = ({ count }: { count: number }) => count <= this.#answered;
    const due = this.#waiting.filter(isDue);
    this.#waiting = this.#waiting.filter((one) => !isDue(one));
    for (const { resolve } of due) resolve();
  }

  async #submit({ sends, plainIn }: NextBatch): Promise<BatchOutcome> {
    const start = performance.now();
    const drafts = sends.map(({ draft }) => draft);
    let chatIds: readonly (ChatId | null)[] | undefined = plainIn;
    try {
      chatIds ??= this.#dialogs.known(drafts) ?? (await this.#dialogs.find(drafts));
      const results = await (plainIn
        ? this.#store.writePlain(drafts, plainIn)
        : this.#store.write(sends, chatIds));
      this.#observer.batchWritten(drafts, (performance.now() - start) / 1000);
      return { results };
    } catch (error) {
      if (chatIds && !isRefusedByServer(error) && !(error instanceof NotConnectedError))
        this.#observer.outcomeUnknown(drafts, chatIds);
      return { error };
    }
  }

  async #settle(sends: readonly Send[], outcome: BatchOutcome): Promise<void> {
    if ('results' in outcome) {
      const { results } = outcome;
      for (const [index, send] of sends.entries()) this.#answer(send, results[index] as Result);
      // Nothing was submitted since: they keep their place.
      this.#queue.putBack(sends.filter((_, index) => isStale(results[index] as Result)));
    } else if (isUnavailable(outcome.error) || sends.length === 1) {
      for (const send of sends) this.#finish(send, { error: outcome.error });
    } else {
      // One row spoils the statement for all: alone, each fails or succeeds for itself.
      this.#log.warn(
        { err: outcome.error, size: sends.length },
        'batch failed, writing its messages one by one',
      );
      for (const send of sends) {
        let outcome = await this.#submit({ sends: [send] });
        while ('results' in outcome && outcome.results.some(isStale))
          outcome = await this.#submit({ sends: [send] });
        await this.#settle([send], outcome);
      }
    }
  }

  async #writeWithin(transaction: Transaction, draft: MessageDraft): Promise<StoredMessage> {
    const [chatId = null] = await this.#dialogs.find([draft]);
    const result = await this.#store.writeWithin(transaction, { draft, extras: encodeExtras(draft) }, chatId);
    if (typeof result === 'string') throw refusalFor(result, draft);
    return result;
  }

  /** Answers a message and its repeats: with its own result once it is stored; a refused one leaves them their try. */
  #finish(send: Send, outcome: Parameters<WriteAnswer>[0]): void {
    this.#reply(send, outcome);
    for (const repeat of send.repeats) {
      if ('error' in outcome && isUnavailable(outcome.error)) this.#finish(repeat, outcome);
      else if ('error' in outcome) this.#enqueue(repeat, (error) => this.#reply(repeat, { error }));
      else if (isSameChat(send.draft.to, repeat.draft.to))
        this.#reply(repeat, { stored: { ...outcome.stored, repeated: true } });
      else this.#reply(repeat, { error: refusalFor('OTHER_CHAT', repeat.draft) });
    }
  }

  /** A fault in an answer must not stop the writer for everybody else. */
  #reply({ answer }: Send, outcome: Parameters<WriteAnswer>[0]): void {
    try {
      answer(outcome);
    } catch (error) {
      this.#log.error({ err: error }, 'a message could not be answered');
    }
  }

  /** Pushes and answers. A fault in either must not take the messages behind it along. */
  #answer(send: Send, result: Result): void {
    const { draft } = send;
    if (isStale(result)) return;
    try {
      if (typeof result === 'string') return this.#finish(send, { error: refusalFor(result, draft) });
      this.#observer.messageStored(draft, result, () => this.#finish(send, { stored: result }));
    } catch (error) {
      const messageId = typeof result === 'string' ? undefined : result.messageId;
      this.#log.error({ err: error, messageId }, 'a stored message could not be pushed or answered');
    }
  }
}

const isStale = (result: Result): boolean => result === 'STALE';

function isSameChat(one: MessageDraft['to'], other: MessageDraft['to']): boolean {
  return 'groupId' in one
    ? 'groupId' in other && one.groupId === other.groupId
    : 'receiverId' in other && one.receiverId === other.receiverId;
}
