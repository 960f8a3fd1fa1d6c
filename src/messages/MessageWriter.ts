import type { QueryResultRow } from 'pg';
import type { Logger } from 'pino';
import type { Transaction } from 'sequelize';
import { QueryTypes } from 'sequelize';
import type { Database } from '../database/database.ts';
import { isRefusedByServer, isUnavailable, NotConnectedError, repeatable } from '../database/failures.ts';
import { ApiError, LimitError } from '../errors.ts';
import type { ChatId, ConnectionId, UserId } from '../ids.ts';
import type { Limits } from '../limits.ts';
import { nameOf } from '../users/names.ts';
import type { DialogDirectory } from './dialogs.ts';
import type { MessageDraft, StoredMessage } from './drafts.ts';
import { namesIn } from './mentions.ts';
import { writeBatch } from './writeBatch.sql.ts';

/** Messages in one statement: past a thousand, larger batches add latency and no throughput. */
const MAX_BATCH = 1_000;
/** Letters of content in one statement, give or take a message: encoding more would hold up the event loop. */
const MAX_BATCH_LETTERS = 64 * 1024;
/** Counted for a message with `custom` data, whatever its size. */
const CUSTOM_LETTERS = 4 * 1024;

/** Bytes of memory that a job takes beside what is written. */
const JOB_BYTES = 512;
/** Bytes of memory that parsed JSON takes at most for each byte of its text, as in `[[[[]]]]`. */
const PARSED_JSON = 32;

/** Writes a system message inside a change, to be committed together with it. */
export type WriteSystemMessage = (draft: MessageDraft & { kind: 'system' }) => Promise<StoredMessage>;

/** Told how a write ended: with the committed message, or with why it was refused. */
export type WriteAnswer = (outcome: { readonly stored: StoredMessage } | { readonly error: unknown }) => void;

interface Send {
  readonly draft: MessageDraft;
  readonly answer: WriteAnswer;
  /** As the batch statement takes them. */
  readonly extras: string | null;
  readonly bytes: number;
  /** What has the same `clientMessageId` in the same batch, and waits for what becomes of this one. */
  readonly repeats: Send[];
}

interface Change {
  readonly change: () => Promise<void>;
  readonly reject: (error: unknown) => void;
  /** The connection that asked for it. */
  readonly origin: ConnectionId;
  readonly bytes: number;
}

/** A job is a message to be batched with its neighbours, or a change that has its turn alone. */
type Job = Send | Change;

interface BatchRow extends QueryResultRow {
  readonly refusal: Refusal | null;
  readonly repeated: boolean;
  /** Null once the account is deleted: its groups are left after that. */
  readonly sender_name: string | null;
  readonly mentions: UserId[] | null;
  readonly seq: number;
  readonly id: number;
  readonly chat_id: ChatId;
  readonly created_at: Date;
}

type BatchOutcome = { readonly rows: readonly BatchRow[] } | { readonly error: unknown };

/** Messages on their way to the database. */
interface Batch {
  readonly sends: readonly Send[];
  /** Never rejects. */
  readonly outcome: Promise<BatchOutcome>;
}

type QueueLimits = Pick<Limits, 'queueLength' | 'queueBytes'>;

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
 * arrives queues up, and then goes as the next. So latency is one commit when idle, throughput grows with
 * load by itself, and everything this node stores has one order: that of the calls.
 */
export class MessageWriter {
  readonly #database: Database;
  readonly #dialogs: DialogDirectory;
  readonly #observer: WriterObserver;
  readonly #log: Logger;
  readonly #limits: QueueLimits;
  #queue: Job[] = [];
  #bytes = 0;
  #running: Promise<void> | undefined;

  /** Past the `limits` of messages and changes that wait, no more are taken: a send is answered `UNAVAILABLE`. */
  constructor(
    database: Database,
    dialogs: DialogDirectory,
    observer: WriterObserver,
    log: Logger,
    limits: QueueLimits,
  ) {
    this.#database = database;
    this.#dialogs = dialogs;
    this.#observer = observer;
    this.#log = log;
    this.#limits = limits;
  }

  /** Jobs that wait for their turn. */
  get queueLength(): number {
    return this.#queue.length;
  }

  /** True if the queue takes another message of the usual size. */
  get hasRoom(): boolean {
    const { queueLength, queueBytes } = this.#limits;
    return this.#queue.length < queueLength && this.#bytes + 2 * JOB_BYTES <= queueBytes;
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
    const isTheirs = (job: Job) => ('change' in job ? job : job.draft).origin === origin;
    const discarded = this.#queue.filter(isTheirs);
    if (discarded.length === 0) return;
    this.#queue = this.#queue.filter((job) => !isTheirs(job));
    for (const job of discarded) {
      this.#bytes -= job.bytes;
      const error = new ApiError('UNAUTHORIZED', 'The token was revoked before this was done');
      if ('change' in job) job.reject(error);
      else this.#finish(job, { error });
    }
  }

  /** Resolves when everything accepted so far has been answered. */
  async drain(): Promise<void> {
    while (this.#running) await this.#running;
  }

  #enqueue(job: Job, reject: (error: unknown) => void): void {
    const { queueLength, queueBytes } = this.#limits;
    const isOver = this.#queue.length >= queueLength || this.#bytes + job.bytes > queueBytes;
    if (isOver && this.#queue.length > 0) {
      reject(new LimitError('queue', 'UNAVAILABLE', 'The server is overloaded; retry in a moment', 1));
      return;
    }
    this.#queue.push(job);
    this.#bytes += job.bytes;
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
        const next = 'rows' in outcome && !outcome.rows.some(isStale) ? this.#submitNext() : undefined;
        await this.#settle(batch.sends, outcome);
        batch = next ?? this.#submitNext();
      } else {
        const job = this.#queue.shift();
        this.#bytes -= job?.bytes ?? 0;
        if (job && 'change' in job) await job.change();
        batch = this.#submitNext();
      }
    }
    this.#running = undefined;
  }

  /** Sends the messages at the head of the queue to the database; undefined when a change comes first, or nothing. */
  #submitNext(): Batch | undefined {
    let letters = 0;
    let bytes = 0;
    const taken: Send[] = [];
    for (const job of this.#queue) {
      if ('change' in job || taken.length === MAX_BATCH || letters > MAX_BATCH_LETTERS) break;
      letters += job.draft.content.length + (job.draft.extras?.custom ? CUSTOM_LETTERS : 0);
      bytes += job.bytes;
      taken.push(job);
    }
    if (taken.length === 0) return undefined;
    this.#queue.splice(0, taken.length);
    this.#bytes -= bytes;
    const sends = withoutRepeats(taken);
    return { sends, outcome: this.#submit(sends) };
  }

  async #submit(sends: readonly Send[]): Promise<BatchOutcome> {
    const start = performance.now();
    const drafts = sends.map(({ draft }) => draft);
    let chatIds: readonly (ChatId | null)[] | undefined;
    try {
      chatIds = this.#dialogs.known(drafts) ?? (await this.#dialogs.find(drafts));
      const extras = sends.map((send) => send.extras);
      const values = parameters(drafts, chatIds, extras);
      // Run again, it finds what another node stored of it at the same moment.
      const rows = await repeatable(() =>
        this.#database.writer.query<BatchRow>({ name: 'writeBatch', text: writeBatch, values }),
      );
      this.#observer.batchWritten(drafts, (performance.now() - start) / 1000);
      return { rows };
    } catch (error) {
      if (chatIds && !isRefusedByServer(error) && !(error instanceof NotConnectedError))
        this.#observer.outcomeUnknown(drafts, chatIds);
      return { error };
    }
  }

  async #settle(sends: readonly Send[], outcome: BatchOutcome): Promise<void> {
    if ('rows' in outcome) {
      for (const [index, send] of sends.entries()) this.#answer(send, outcome.rows[index] as BatchRow);
      const stale = sends.filter((_, index) => isStale(outcome.rows[index] as BatchRow));
      this.#queue.unshift(...stale); // nothing was submitted meanwhile: they keep their place
      for (const { bytes } of stale) this.#bytes += bytes;
    } else if (isUnavailable(outcome.error) || sends.length === 1) {
      for (const send of sends) this.#finish(send, { error: outcome.error });
    } else {
      // One row spoils the statement for all: alone, each fails or succeeds for itself.
      this.#log.warn(
        { err: outcome.error, size: sends.length },
        'batch failed, writing its messages one by one',
      );
      for (const send of sends) {
        let outcome = await this.#submit([send]);
        while ('rows' in outcome && outcome.rows.some(isStale)) outcome = await this.#submit([send]);
        await this.#settle([send], outcome);
      }
    }
  }

  async #writeWithin(transaction: Transaction, draft: MessageDraft): Promise<StoredMessage> {
    const chatIds = await this.#dialogs.find([draft]);
    const [row] = await this.#database.sequelize.query<BatchRow>(writeBatch, {
      bind: parameters([draft], chatIds, [encodeExtras(draft)]),
      type: QueryTypes.SELECT,
      transaction,
    });
    if (!row) throw new Error('the batch statement answered no row');
    if (row.refusal) throw refusalFor(row.refusal, draft);
    return storedOf(row);
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
  #answer(send: Send, row: BatchRow): void {
    const { draft } = send;
    if (isStale(row)) return;
    try {
      if (row.refusal) return this.#finish(send, { error: refusalFor(row.refusal, draft) });
      const stored = storedOf(row);
      this.#observer.messageStored(draft, stored, () => this.#finish(send, { stored }));
    } catch (error) {
      this.#log.error({ err: error, messageId: row.id }, 'a stored message could not be pushed or answered');
    }
  }
}

/** The messages without those that repeat another one of them, which keeps them until it has its answer. */
function withoutRepeats(sends: readonly Send[]): Send[] {
  const firsts = new Map<string, Send>();
  return sends.filter((send) => {
    const { senderId, clientMessageId } = send.draft;
    if (clientMessageId === undefined) return true;
    const key = `${senderId} ${clientMessageId}`;
    const first = firsts.get(key);
    if (first) first.repeats.push(send);
    else firsts.set(key, send);
    return !first;
  });
}

function isSameChat(one: MessageDraft['to'], other: MessageDraft['to']): boolean {
  return 'groupId' in one
    ? 'groupId' in other && one.groupId === other.groupId
    : 'receiverId' in other && one.receiverId === other.receiverId;
}

/** The arrays the batch statement takes. */
function parameters(
  drafts: readonly MessageDraft[],
  chatIds: readonly (ChatId | null)[],
  extras: readonly (string | null)[],
): unknown[] {
  return [
    chatIds,
    drafts.map(({ senderId }) => senderId),
    drafts.map(({ to }) => ('receiverId' in to ? to.receiverId : null)),
    drafts.map(({ kind }) => kind),
    drafts.map(({ content }) => content),
    drafts.map(({ clientMessageId }) => clientMessageId ?? null),
    extras,
  ];
}

/** The extras of a message and the names it mentions, as JSON; null where there are none. */
function encodeExtras({ kind, content, extras }: MessageDraft): string | null {
  const mentioned = kind === 'text' && content.includes('@') ? namesIn(content) : [];
  if (!extras && mentioned.length === 0) return null;
  return JSON.stringify({ ...extras, ...(mentioned.length > 0 && { mentioned }) });
}

/** Bytes of memory that a message takes at most while it waits. */
function bytesOf({ content, extras: given }: MessageDraft, extras: string | null): number {
  const text = 2 * content.length + JOB_BYTES; // no string takes more than two bytes a character
  if (extras === null) return text;
  return text + extras.length * (given?.custom ? PARSED_JSON : 2);
}

const isStale = ({ refusal }: BatchRow): boolean => refusal === 'STALE';

function storedOf(row: BatchRow): StoredMessage {
  return {
    chatId: row.chat_id,
    messageId: row.id,
    seq: row.seq,
    createdAt: row.created_at.toISOString(),
    senderName: nameOf({ username: row.sender_name }),
    mentions: row.mentions,
    repeated: row.repeated,
  };
}

/** Why the batch statement stores no message; of slow mode, with the seconds that are left. */
type Refusal =
  | 'OTHER_CHAT'
  | 'NO_CHAT'
  | 'NOT_A_MEMBER'
  | 'BLOCKED'
  | 'NOT_POSTING'
  | 'NO_ORIGINAL'
  /** The rules of the chat changed between the judgement and its turn. */
  | 'STALE'
  | `SLOW_MODE ${number}`;

function refusalFor(reason: Refusal, { to, extras }: MessageDraft): ApiError {
  const [name, seconds] = reason.split(' ') as [
    Exclude<Refusal, `SLOW_MODE ${number}`> | 'SLOW_MODE',
    string?,
  ];
  switch (name) {
    case 'OTHER_CHAT':
      return new ApiError('CONFLICT', 'This clientMessageId stands for a message in another chat');
    case 'NO_CHAT':
      return new ApiError(
        'NOT_FOUND',
        'groupId' in to ? `There is no group ${to.groupId}` : `There is no user ${to.receiverId}`,
      );
    case 'NOT_A_MEMBER':
      return new ApiError('NOT_A_MEMBER');
    case 'BLOCKED':
      return new ApiError('FORBIDDEN');
    case 'NOT_POSTING':
      return new ApiError('FORBIDDEN', 'Only admins may write in this group');
    case 'STALE':
      return new ApiError('UNAVAILABLE', 'The group is being changed; retry');
    case 'NO_ORIGINAL':
      return new ApiError('NOT_FOUND', `There is no message ${extras?.replyTo} in this chat to reply to`);
    case 'SLOW_MODE':
      return new LimitError(
        'slowMode',
        'RATE_LIMITED',
        `This group is in slow mode; write again in ${seconds} s`,
        Number(seconds),
      );
  }
}
