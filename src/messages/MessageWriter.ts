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
import { isTo, memoryOf, type NextBatch, type Send, type WriteAnswer, WriterQueue } from './WriterQueue.ts';

type BatchOutcome = { readonly results: readonly Result[] } | { readonly error: unknown };

/** A batch that has been sent to the database. */
interface Batch {
  readonly sends: readonly Send[];
  /** Never rejects. */
  readonly outcome: Promise<BatchOutcome>;
}

/** Steps after the commit of a message that the writer leaves to others. */
export interface WriterHooks {
  /** Called after each committed batch. */
  batchWritten(drafts: readonly MessageDraft[], seconds: number): void;
  /**
   * Publishes a stored message; called in the order of `seq` within its chat. Must call `reply` once when the sender may
   * receive the reply: see {@link publishMessage}.
   */
  publish(draft: MessageDraft, stored: StoredMessage, reply: () => void): void;
  /** Called if the connection was lost before the answer, so that it is unknown which messages were committed. */
  outcomeUnknown(drafts: readonly MessageDraft[], chatIds: readonly (ChatId | null)[]): void;
}

/**
 * Stores all messages of the node, one batch after another: while a batch is being committed, arriving messages are
 * queued for the next one. So the latency is one commit when idle, and throughput grows with the load. Messages of one
 * chat are stored in the order of the calls; in different chats, messages of one kind may overtake those of the other
 * ({@link WriterQueue}).
 *
 * A change of a group runs concurrently with the batches. The lock on the row of the chat orders it among the messages
 * of the chat on all nodes. On this node, messages for that chat are held outside of the queue in the meantime, because
 * a batch that waits for the lock would delay all other messages.
 */
export class MessageWriter implements GroupWriter {
  readonly #database: Database;
  readonly #dialogs: DialogDirectory;
  readonly #hooks: WriterHooks;
  readonly #log: Logger;
  readonly #store: MessageStore;
  readonly #queue: WriterQueue;
  /** Waiting and running changes; those of one group run one after another. */
  readonly #changes = new Set<PendingChange>();
  readonly #changesOf = new KeyedQueue();
  #running: Promise<void> | undefined;
  /** Batches sent to the database, and the numbers of batches begun and answered so far. */
  readonly #underWay = new Set<Batch>();
  #begun = 0;
  #answered = 0;
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  /** When the queue reaches the `limits`, further messages and changes are refused with `UNAVAILABLE`. */
  constructor(database: Database, dialogs: DialogDirectory, hooks: WriterHooks, log: Logger, limits: Limits) {
    this.#database = database;
    this.#dialogs = dialogs;
    this.#hooks = hooks;
    this.#log = log;
    this.#store = new MessageStore(database, dialogs);
    this.#queue = new WriterQueue(limits, this.#store);
  }

  /** Returns the number of queued messages and changes. */
  get queueLength(): number {
    return this.#queue.length;
  }

  /** Returns true if the queue has room for another message of usual size. */
  get hasRoom(): boolean {
    return this.#queue.hasRoom;
  }

  /**
   * Stores a message and calls `answer` after the commit, or with the error: a refusal (see {@link refusalFor}),
   * `UNAVAILABLE` if the queue is full, or an error of the database. It is a callback instead of a promise so that it
   * runs between the push of the previous message and that of this one: connections receive replies and pushes in the
   * order of `seq`.
   */
  write(draft: MessageDraft, answer: WriteAnswer): void {
    const extras = encodeExtras(draft);
    const send = { draft, answer, extras, bytes: memoryOf(draft, extras), repeats: [] };
    this.#enqueue(send, (error) => this.#call(send, { error }));
  }

  /**
   * Runs a change of a group or its members in one transaction, in order with the group's messages: messages sent
   * before are stored before it, messages sent after are subject to it. Changes of one group run in the order of the
   * calls; `groupId` is null while a group is created. `origin` is the connection of the command, `committed` publishes
   * the change: see {@link Database.transaction}.
   *
   * A change acquires its database connection before messages are held for it, so that messages never wait for the
   * pool.
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
   * Discards queued messages and changes of a connection whose token is no longer valid; they are answered with
   * `UNAUTHORIZED`.
   */
  discard(origin: ConnectionId): void {
    const error = new ApiError('UNAUTHORIZED', 'The token was revoked before the command ran');
    for (const send of this.#queue.takeOf(origin)) this.#reply(send, { error });
    for (const change of this.#changes) if (change.origin === origin) change.discard(error);
  }

  /** Resolves when all running batches and changes that may affect a chat have been published and answered. */
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
      change.check(); // a discarded change acquires no connection
      return await this.#database.transaction(inTurn, committed);
    } finally {
      if (groupId !== null && isHolding) this.#queue.release(groupId);
      this.#changes.delete(change);
      change.end();
      this.#start();
    }
  }

  /** Returns true while messages for a held group that came before are not answered yet. */
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
    await Promise.resolve(); // so that other frames of the same read join the first batch
    let batch = this.#submitNext();
    while (batch) {
      const outcome = await batch.outcome;
      // The next batch is sent before this one is answered, except after a failure, because its messages may have to be
      // written again first.
      const next = 'results' in outcome && !outcome.results.some(isStale) ? this.#submitNext() : undefined;
      await this.#settle(batch.sends, outcome);
      this.#noteAnswered(batch);
      batch = next ?? this.#submitNext();
    }
    this.#running = undefined;
  }

  /** Sends the next batch to the database; returns undefined if no messages are queued. */
  #submitNext(): Batch | undefined {
    const next = this.#queue.takeBatch();
    if (!next) return undefined;
    this.#begun++;
    const batch = { sends: next.sends, outcome: this.#commit(next) };
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

  /** Resolves when `count` batches are answered. */
  async #answeredUpTo(count: number): Promise<void> {
    if (count > this.#answered) await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
  }

  async #commit({ sends, plainIn }: NextBatch): Promise<BatchOutcome> {
    const start = performance.now();
    const drafts = sends.map(({ draft }) => draft);
    let chatIds: readonly (ChatId | null)[] | undefined = plainIn;
    try {
      chatIds ??= this.#dialogs.known(drafts) ?? (await this.#dialogs.find(drafts));
      const results = await (plainIn
        ? this.#store.writePlain(drafts, plainIn)
        : this.#store.write(sends, chatIds));
      this.#noteCommitted(drafts, (performance.now() - start) / 1000);
      return { results };
    } catch (error) {
      if (chatIds && !isRefusedByServer(error) && !(error instanceof NotConnectedError))
        this.#hooks.outcomeUnknown(drafts, chatIds);
      return { error };
    }
  }

  #noteCommitted(drafts: readonly MessageDraft[], seconds: number): void {
    this.#hooks.batchWritten(drafts, seconds);
    for (const { trace } of drafts) trace?.part('commit', seconds, { 'parley.batch': drafts.length });
  }

  async #settle(sends: readonly Send[], outcome: BatchOutcome): Promise<void> {
    if ('results' in outcome) {
      const { results } = outcome;
      for (const [index, send] of sends.entries()) this.#conclude(send, results[index] as Result);
      // No batch was submitted in between, so they keep their order.
      this.#queue.putBack(sends.filter((_, index) => isStale(results[index] as Result)));
    } else if (isUnavailable(outcome.error) || sends.length === 1) {
      for (const send of sends) this.#reply(send, { error: outcome.error });
    } else {
      // One bad row fails the whole statement, so each message is written on its own.
      this.#log.warn(
        { err: outcome.error, size: sends.length },
        'batch failed, writing its messages one by one',
      );
      for (const send of sends) {
        let outcome = await this.#commit({ sends: [send] });
        while ('results' in outcome && outcome.results.some(isStale))
          outcome = await this.#commit({ sends: [send] });
        await this.#settle([send], outcome);
      }
    }
  }

  /** Replies to a message. Its repeats get the same result if it was stored; otherwise they are tried themselves. */
  #reply(send: Send, outcome: Parameters<WriteAnswer>[0]): void {
    this.#call(send, outcome);
    for (const repeat of send.repeats) {
      if ('error' in outcome && isUnavailable(outcome.error)) this.#reply(repeat, outcome);
      else if ('error' in outcome) this.#enqueue(repeat, (error) => this.#call(repeat, { error }));
      else if (isSameChat(send.draft.to, repeat.draft.to))
        this.#call(repeat, { stored: { ...outcome.stored, repeated: true } });
      else this.#call(repeat, { error: refusalFor({ reason: 'OTHER_CHAT' }, repeat.draft) });
    }
  }

  /** Calls the `answer` of a message. A fault in it must not stop the writer. */
  #call({ answer }: Send, outcome: Parameters<WriteAnswer>[0]): void {
    try {
      answer(outcome);
    } catch (error) {
      this.#log.error({ err: error }, 'failed to answer message');
    }
  }

  /** Publishes a stored message, or replies to a refused one. A fault must not affect later messages. */
  #conclude(send: Send, result: Result): void {
    const { draft } = send;
    if (isStale(result)) return;
    try {
      if ('reason' in result) return this.#reply(send, { error: refusalFor(result, draft) });
      this.#hooks.publish(draft, result, () => this.#reply(send, { stored: result }));
    } catch (error) {
      const messageId = 'reason' in result ? undefined : result.messageId;
      this.#log.error({ err: error, messageId }, 'failed to push or answer stored message');
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
