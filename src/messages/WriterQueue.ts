import type { ChatId, ConnectionId } from '../ids.ts';
import type { Limits } from '../limits.ts';
import type { MessageDraft, StoredMessage } from './drafts.ts';

/** Messages in one statement: past a thousand, larger batches add latency and no throughput. */
const MAX_BATCH = 1_000;
/** Letters of content in one statement, give or take a message: encoding more would hold up the event loop. */
const MAX_BATCH_LETTERS = 64 * 1024;
/** Counted for a message with `custom` data, whatever its size. */
const CUSTOM_LETTERS = 4 * 1024;

/** Bytes of memory that a message which waits takes beside its content, and a change. */
const SEND_BYTES = 512;
const CHANGE_BYTES = 8 * SEND_BYTES;
/** Share of the limits that messages may take which are kept back: there is room for everybody else's. */
const HELD_SHARE = 1 / 2;
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

/**
 * Messages in the order in which they came, as many as the limits allow. While a chat is held, what comes for it waits
 * beside the queue, so that nobody else's messages wait for it. Only groups are held.
 */
export class WriterQueue {
  readonly #limits: QueueLimits;
  readonly #sorter: SendSorter;
  #sends: Send[] = [];
  readonly #held = new Map<ChatId, Send[]>();
  #changes = 0;
  #length = 0;
  #bytes = 0;
  /** Of these, what is kept back. */
  #heldLength = 0;
  #heldBytes = 0;

  constructor(limits: QueueLimits, sorter: SendSorter) {
    this.#limits = limits;
    this.#sorter = sorter;
  }

  /** Messages and changes that wait. */
  get length(): number {
    return this.#length + this.#changes;
  }

  /** Bytes of memory that they take. */
  get bytes(): number {
    return this.#bytes + this.#changes * CHANGE_BYTES;
  }

  /** True if it takes another message of the usual size. */
  get hasRoom(): boolean {
    return this.length < this.#limits.queueLength && this.bytes + 2 * SEND_BYTES <= this.#limits.queueBytes;
  }

  /** Adds a message; false, and nothing done, where there are too many. */
  add(send: Send): boolean {
    const held = this.#heldFor(send);
    if (!this.#fits(send.bytes) || (held && !this.#fitsBeside(send.bytes))) return false;
    (held ?? this.#sends).push(send);
    this.#count(send, 1);
    if (held) this.#countHeld(send, 1);
    return true;
  }

  /** Counts a change that waits until the function it returns is called; undefined where there are too many. */
  addChange(): (() => void) | undefined {
    if (!this.#fits(CHANGE_BYTES)) return undefined;
    this.#changes++;
    return () => {
      this.#changes--;
    };
  }

  /** Keeps back what comes for a group from now on, until it is released; what is there of it already comes next. */
  hold(groupId: ChatId): void {
    this.#held.set(groupId, []);
    const [theirs, others] = partition(this.#sends, (send) => isTo(send, groupId));
    if (theirs.length > 0) this.#sends = [...theirs, ...others];
  }

  /** Lets what was kept back come next. */
  release(groupId: ChatId): void {
    const held = this.#held.get(groupId);
    this.#held.delete(groupId);
    if (!held || held.length === 0) return;
    for (const send of held) this.#countHeld(send, -1);
    this.#sends = [...held, ...this.#sends];
  }

  /** True if messages for a group wait that are not kept back. */
  has(groupId: ChatId): boolean {
    return this.#sends.some((send) => isTo(send, groupId));
  }

  /** Puts messages back at the head of the queue. */
  putBack(sends: readonly Send[]): void {
    this.#sends = [...sends, ...this.#sends];
    for (const send of sends) this.#count(send, 1);
  }

  /** Takes out what a connection asked for. */
  takeOf(origin: ConnectionId): Send[] {
    const isTheirs = ({ draft }: Send) => draft.origin === origin;
    const [theirs, others] = partition(this.#sends, isTheirs);
    this.#sends = others;
    for (const [groupId, held] of this.#held) {
      const [heldOfTheirs, heldOfOthers] = partition(held, isTheirs);
      theirs.push(...heldOfTheirs);
      for (const send of heldOfTheirs) this.#countHeld(send, -1);
      this.#held.set(groupId, heldOfOthers);
    }
    for (const send of theirs) this.#count(send, -1);
    return theirs;
  }

  /**
   * Takes the messages of the next batch; undefined where none is there that is not kept back. The first message decides
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
    for (const send of this.#sends) {
      if (sends.length === MAX_BATCH || letters > MAX_BATCH_LETTERS || staying.length === MAX_BATCH) break;
      seen++;
      const chatId = this.#sorter.chatOf(send.draft);
      const isPlain = chatId !== undefined && this.#sorter.isPlain(send, chatId);
      isPlainBatch ??= isPlain;
      if (isPlain !== isPlainBatch || (chatId !== undefined && stayingIn.has(chatId))) {
        staying.push(send);
        if (chatId !== undefined) stayingIn.add(chatId);
      } else {
        letters += send.draft.content.length + (send.draft.extras?.custom ? CUSTOM_LETTERS : 0);
        this.#count(send, -1);
        sends.push(send);
        if (chatId !== undefined) chatIds.push(chatId);
      }
    }
    this.#sends.splice(0, seen, ...staying);
    if (sends.length === 0) return undefined;
    return joinRepeats(isPlainBatch ? { sends, plainIn: chatIds } : { sends });
  }

  /** One is always taken, whatever its size. */
  #fits(bytes: number): boolean {
    const { queueLength, queueBytes } = this.#limits;
    return this.length === 0 || (this.length < queueLength && this.bytes + bytes <= queueBytes);
  }

  /** The same of what is kept back. */
  #fitsBeside(bytes: number): boolean {
    const { queueLength, queueBytes } = this.#limits;
    return (
      this.#heldLength === 0 ||
      (this.#heldLength < HELD_SHARE * queueLength && this.#heldBytes + bytes <= HELD_SHARE * queueBytes)
    );
  }

  #heldFor({ draft: { to } }: Send): Send[] | undefined {
    return this.#held.size > 0 && 'groupId' in to ? this.#held.get(to.groupId) : undefined;
  }

  #count({ bytes }: Send, by: 1 | -1): void {
    this.#length += by;
    this.#bytes += by * bytes;
  }

  #countHeld({ bytes }: Send, by: 1 | -1): void {
    this.#heldLength += by;
    this.#heldBytes += by * bytes;
  }
}

/** True if a message goes to a group. */
export function isTo({ draft: { to } }: Send, groupId: ChatId): boolean {
  return 'groupId' in to && to.groupId === groupId;
}

/** Those of which `test` is true, and the others. */
function partition(sends: readonly Send[], test: (send: Send) => boolean): [Send[], Send[]] {
  const found: Send[] = [];
  const others: Send[] = [];
  for (const send of sends) (test(send) ? found : others).push(send);
  return [found, others];
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
  const text = 2 * content.length + SEND_BYTES; // no string takes more than two bytes a character
  if (extras === null) return text;
  return text + extras.length * (given?.custom ? PARSED_JSON : 2);
}
