import type { ChatId, ConnectionId } from '../ids.ts';
import type { Limits } from '../limits.ts';
import type { MessageDraft, StoredMessage } from './drafts.ts';

/** Messages in one statement: past a thousand, larger batches add latency and no throughput. */
const MAX_BATCH = 1_000;
/** Letters of content in one statement, give or take a message: encoding more would hold up the event loop. */
const MAX_BATCH_LETTERS = 64 * 1024;
/** Counted for a message with `custom` data, whatever its size. */
const CUSTOM_LETTERS = 4 * 1024;

/** Bytes of memory that a job takes beside what is written. */
export const JOB_BYTES = 512;
/** Bytes of memory that parsed JSON takes at most for each byte of its text, as in `[[[[]]]]`. */
const PARSED_JSON = 32;

/** Called when a write has ended: with the committed message, or with the error. */
export type WriteAnswer = (outcome: { readonly stored: StoredMessage } | { readonly error: unknown }) => void;

/** A message that waits to be batched with its neighbours. */
export interface Send {
  readonly draft: MessageDraft;
  readonly answer: WriteAnswer;
  /** As the batch statement takes them. */
  readonly extras: string | null;
  readonly bytes: number;
  /** What has the same `clientMessageId` in the same batch, and waits for what becomes of this one. */
  readonly repeats: Send[];
}

/** A change that has its turn alone. */
export interface Change {
  readonly change: () => Promise<void>;
  readonly reject: (error: unknown) => void;
  /** The connection that asked for it. */
  readonly origin: ConnectionId;
  readonly bytes: number;
}

export type Job = Send | Change;

/** Messages to be stored by one statement. */
export interface NextBatch {
  readonly sends: readonly Send[];
  /** Of messages that are all plain, their chats. */
  readonly plainIn?: readonly ChatId[] | undefined;
}

/** Knows of a message that waits what decides on its batch. */
export interface SendSorter {
  /** The chat it goes to, where that is known. */
  chatOf(draft: MessageDraft): ChatId | undefined;
  /** True if the statement for plain messages can store it. */
  isPlain(send: Send, chatId: ChatId): boolean;
}

type QueueLimits = Pick<Limits, 'queueLength' | 'queueBytes'>;

/** Messages and changes in the order in which they came, as many as the limits allow. */
export class WriterQueue {
  readonly #limits: QueueLimits;
  readonly #sorter: SendSorter;
  #jobs: Job[] = [];
  #bytes = 0;

  constructor(limits: QueueLimits, sorter: SendSorter) {
    this.#limits = limits;
    this.#sorter = sorter;
  }

  get length(): number {
    return this.#jobs.length;
  }

  /** Bytes of memory that the jobs take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** True if it takes another message of the usual size. */
  get hasRoom(): boolean {
    const { queueLength, queueBytes } = this.#limits;
    return this.#jobs.length < queueLength && this.#bytes + 2 * JOB_BYTES <= queueBytes;
  }

  /** Adds a job; false, and nothing done, where there are too many. */
  add(job: Job): boolean {
    const { queueLength, queueBytes } = this.#limits;
    const isOver = this.#jobs.length >= queueLength || this.#bytes + job.bytes > queueBytes;
    if (isOver && this.#jobs.length > 0) return false;
    this.#jobs.push(job);
    this.#bytes += job.bytes;
    return true;
  }

  /** Puts messages back at the head of the queue. */
  putBack(sends: readonly Send[]): void {
    this.#jobs.unshift(...sends);
    for (const { bytes } of sends) this.#bytes += bytes;
  }

  /** Takes out what a connection asked for. */
  takeOf(origin: ConnectionId): Job[] {
    const isTheirs = (job: Job) => ('change' in job ? job : job.draft).origin === origin;
    const theirs = this.#jobs.filter(isTheirs);
    if (theirs.length > 0) this.#jobs = this.#jobs.filter((job) => !isTheirs(job));
    for (const { bytes } of theirs) this.#bytes -= bytes;
    return theirs;
  }

  /** Takes the change that comes next; undefined where that is a message, or nothing. */
  takeChange(): Change | undefined {
    const [first] = this.#jobs;
    if (!first || !('change' in first)) return undefined;
    this.#jobs.shift();
    this.#bytes -= first.bytes;
    return first;
  }

  /**
   * Takes the messages of the next batch; undefined where a change comes first, or nothing. The first message decides
   * whether it is a batch of plain messages. Messages of the other kind stay, and so does what follows them in the same
   * chat: the order within a chat is that in which messages came.
   */
  takeBatch(): NextBatch | undefined {
    const sends: Send[] = [];
    const chatIds: ChatId[] = [];
    const staying: Send[] = [];
    const stayingIn = new Set<ChatId>();
    let isPlainBatch: boolean | undefined;
    let letters = 0;
    let seen = 0;
    for (const job of this.#jobs) {
      const isFull =
        sends.length === MAX_BATCH || letters > MAX_BATCH_LETTERS || staying.length === MAX_BATCH;
      if ('change' in job || isFull) break;
      seen++;
      const chatId = this.#sorter.chatOf(job.draft);
      const isPlain = chatId !== undefined && this.#sorter.isPlain(job, chatId);
      isPlainBatch ??= isPlain;
      if (isPlain !== isPlainBatch || (chatId !== undefined && stayingIn.has(chatId))) {
        staying.push(job);
        if (chatId !== undefined) stayingIn.add(chatId);
      } else {
        letters += job.draft.content.length + (job.draft.extras?.custom ? CUSTOM_LETTERS : 0);
        this.#bytes -= job.bytes;
        sends.push(job);
        if (chatId !== undefined) chatIds.push(chatId);
      }
    }
    this.#jobs.splice(0, seen, ...staying);
    if (sends.length === 0) return undefined;
    return joinRepeats(isPlainBatch ? { sends, plainIn: chatIds } : { sends });
  }
}

/** The batch without the messages that repeat another one of it, which keeps them until it has its answer. */
function joinRepeats({ sends, plainIn }: NextBatch): NextBatch {
  const firsts = new Map<string, Send>();
  const isFirst = sends.map((send) => {
    const { senderId, clientMessageId } = send.draft;
    if (clientMessageId === undefined) return true;
    const key = `${senderId} ${clientMessageId}`;
    const first = firsts.get(key);
    if (first) first.repeats.push(send);
    else firsts.set(key, send);
    return !first;
  });
  const isKept = (_: unknown, index: number) => isFirst[index] === true;
  return { sends: sends.filter(isKept), plainIn: plainIn?.filter(isKept) };
}

/** Bytes of memory that a message takes at most while it waits. */
export function bytesOf({ content, extras: given }: MessageDraft, extras: string | null): number {
  const text = 2 * content.length + JOB_BYTES; // no string takes more than two bytes a character
  if (extras === null) return text;
  return text + extras.length * (given?.custom ? PARSED_JSON : 2);
}
