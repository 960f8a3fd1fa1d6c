import type { Logger } from 'pino';
import type { Transaction } from 'sequelize';
import { KeyedQueue } from '../bus/KeyedQueue.ts';
import type { GroupWriter, WriteSystemMessage } from '../chats/systemMessage.ts';
import type { Database } from '../database/database.ts';
import { isRefusedByServer, isUnavailable, NotConnectedError } from '../database/failures.ts';
import type { ChatId, ConnectionId } from '../ids.ts';
import type { Limits } from '../limits.ts';
import { ApiError, LimitError } from '../protocol/errors.ts';
import type { DialogDirectory } from './dialogs.ts';
import type { MessageDraft, StoredMessage } from './drafts.ts';
import { encodeExtras, MessageStore, type Result } from './MessageStore.ts';
import { PendingChange } from './PendingChange.ts';
import { isStale, refusalFor } from './refusals.ts';
import { bytesOf, isTo, type NextBatch, type Send, type WriteAnswer, WriterQueue } from './WriterQueue.ts';

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
 * load by itself. What this node stores in one chat is in the order of the calls; between chats, messages of one kind may
 * overtake those of another ({@link WriterQueue}).
 *
 * A change of a group runs beside the batches. The lock of the chat's row puts it among the messages of its chat, on all
 * nodes; here, messages for that chat wait beside the queue meanwhile, for a batch that waited for the lock would hold
 * up everybody else's.
 */
export class MessageWriter implements GroupWriter {
  readonly #database: Database;
  readonly #dialogs: DialogDirectory;
  readonly #observer: WriterObserver;
  readonly #log: Logger;
  readonly #store: MessageStore;
  readonly #queue: WriterQueue;
  /** Changes that wait or run, and those of one group one after another. */
  readonly #changes = new Set<PendingChange>();
  readonly #changesOf = new KeyedQueue();
  #running: Promise<void> | undefined;
  /** Batches on their way to the database, and how many were begun and are answered so far. */
  readonly #underWay = new Set<Batch>();
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

  /** Messages and changes that wait. */
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
   * Runs a change of a group or its members in one transaction, at its place among the group's messages: what was sent
   * before it is stored before it, what is sent after it meets its effect. Changes of one group follow each other in the
   * order of the calls; `groupId` is null for a group that is only made. `origin` is the connection that asks for it,
   * `committed` publishes it: see {@link Database.transaction}.
   *
   * It has its connection to the database before messages begin to wait for it: they never wait for the pool.
   */
  async change<T>(
    origin: ConnectionId,
    groupId: ChatId | null,
    work: (transaction: Transaction, write: WriteSystemMessage) => Promise<T>,
    committed: (result: T) => void,
  ): Promise<T> {
    const leaveQueue = this.#queue.addChange();
    if (!leaveQueue) throw overloaded();
    const change = new PendingChange(origin, groupId, leaveQueue);
    this.#changes.add(change);
    const run = () => this.#runChange(change, work, committed);
    const done = groupId === null ? run() : this.#changesOf.run(`${groupId}`, run);
    try {
      return await Promise.race([done, change.discarded]);
    } finally {
      change.leaveQueue();
    }
  }

  /**
   * Takes back what a connection asked for and is not on its way to the database, because its token is not valid any
   * more; answered with `UNAUTHORIZED`.
   */
  discard(origin: ConnectionId): void {
    const error = new ApiError('UNAUTHORIZED', 'The token was revoked before this was done');
    for (const send of this.#queue.takeOf(origin)) this.#finish(send, { error });
    for (const change of this.#changes) if (change.origin === origin) change.discard(error);
  }

  /** Resolves when all that is on its way to the database now and may be in a chat has been published and answered. */
  async underWay(chatId: ChatId): Promise<void> {
    const changes = [...this.#changes].filter(
      ({ isRunning, groupId }) => isRunning && (groupId ?? chatId) === chatId,
    );
    await Promise.all([this.#answeredUpTo(this.#begun), ...changes.map(({ ended }) => ended)]);
  }

  /** Resolves when everything accepted so far has been answered. */
  async drain(): Promise<void> {
    while (this.#running || this.#changes.size > 0)
      await Promise.all([this.#running, ...[...this.#changes].map(({ ended }) => ended)]);
  }

  async #runChange<T>(
    change: PendingChange,
    work: (transaction: Transaction, write: WriteSystemMessage) => Promise<T>,
    committed: (result: T) => void,
  ): Promise<T> {
    const { groupId } = change;
    let isHolding = false;
    const inTurn = async (transaction: Transaction): Promise<T> => {
      change.check();
      if (groupId !== null && !isHolding) {
        isHolding = true;
        this.#queue.hold(groupId);
        while (this.#isAhead(groupId)) await this.#answeredUpTo(this.#answered + 1);
      }
      change.begin();
      return work(transaction, (message) => this.#store.writeSystem(transaction, message));
    };
    try {
      change.check(); // nothing is asked for what is discarded
      return await this.#database.transaction(inTurn, committed);
    } finally {
      if (groupId !== null && isHolding) this.#queue.release(groupId);
      this.#changes.delete(change);
      change.end();
      this.#start();
    }
  }

  /** True while messages for a group that is held are not answered yet which came before. */
  #isAhead(groupId: ChatId): boolean {
    return (
      this.#queue.has(groupId) ||
      [...this.#underWay].some(({ sends }) => sends.some((send) => isTo(send, groupId)))
    );
  }

  #enqueue(send: Send, reject: (error: unknown) => void): void {
    if (!this.#queue.add(send)) return reject(overloaded());
    this.#start();
  }

  #start(): void {
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // lets the other frames of the same read join the first batch
    let batch = this.#submitNext();
    while (batch) {
      const outcome = await batch.outcome;
      // The next batch is on its way to the database while this one is answered; not after a failure,
      // whose messages may have to be written again first.
      const next = 'results' in outcome && !outcome.results.some(isStale) ? this.#submitNext() : undefined;
      await this.#settle(batch.sends, outcome);
      this.#noteAnswered(batch);
      batch = next ?? this.#submitNext();
    }
    this.#running = undefined;
  }

  /** Sends the next messages to the database; undefined where there are none. */
  #submitNext(): Batch | undefined {
    const next = this.#queue.takeBatch();
    if (!next) return undefined;
    this.#begun++;
    const batch = { sends: next.sends, outcome: this.#submit(next) };
    this.#underWay.add(batch);
    return batch;
  }

  #noteAnswered(batch: Batch): void {
    this.#underWay.delete(batch);
    this.#answered++;
    if (this.#waiting.length === 0) return;
    const isDue = ({ count }: { count: number }) => count <= this.#answered;
    const due = this.#waiting.filter(isDue);
    this.#waiting = this.#waiting.filter((one) => !isDue(one));
    for (const { resolve } of due) resolve();
  }

  /** Resolves when so many batches are answered. */
  async #answeredUpTo(count: number): Promise<void> {
    if (count > this.#answered) await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
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

  /** Answers a message and its repeats: with its own result once it is stored; a refused one leaves them their try. */
  #finish(send: Send, outcome: Parameters<WriteAnswer>[0]): void {
    this.#reply(send, outcome);
    for (const repeat of send.repeats) {
      if ('error' in outcome && isUnavailable(outcome.error)) this.#finish(repeat, outcome);
      else if ('error' in outcome) this.#enqueue(repeat, (error) => this.#reply(repeat, { error }));
      else if (isSameChat(send.draft.to, repeat.draft.to))
        this.#reply(repeat, { stored: { ...outcome.stored, repeated: true } });
      else this.#reply(repeat, { error: refusalFor({ reason: 'OTHER_CHAT' }, repeat.draft) });
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
      if ('reason' in result) return this.#finish(send, { error: refusalFor(result, draft) });
      this.#observer.messageStored(draft, result, () => this.#finish(send, { stored: result }));
    } catch (error) {
      const messageId = 'reason' in result ? undefined : result.messageId;
      this.#log.error({ err: error, messageId }, 'a stored message could not be pushed or answered');
    }
  }
}

const overloaded = () =>
  new LimitError('queue', 'UNAVAILABLE', 'The server is overloaded; retry in a moment', 1);

function isSameChat(one: MessageDraft['to'], other: MessageDraft['to']): boolean {
  return 'groupId' in one
    ? 'groupId' in other && one.groupId === other.groupId
    : 'receiverId' in other && one.receiverId === other.receiverId;
}
