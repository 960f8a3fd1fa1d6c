import type { ChatId, ConnectionId } from '../ids.ts';
import type { Limits } from '../limits.ts';
import { BatchConditions, type ChatKey, unknownDialog } from './BatchConditions.ts';
import type { MessageDraft, StoredMessage } from './drafts.ts';

/** Messages per statement: larger batches add latency but no throughput. */
const MAX_BATCH = 1_000;
/** Approximate characters of content per statement: encoding more would block the event loop. */
const MAX_BATCH_LETTERS = 64 * 1024;
/** Characters counted for a message with `custom` data of any size. */
const CUSTOM_LETTERS = 4 * 1024;

/** Bytes of memory of a queued message in addition to its content, and of a queued change. */
const SEND_BYTES = 512;
const CHANGE_BYTES = 8 * SEND_BYTES;
/** Share of the limits for held messages, so that there is room for all others. */
const HELD_SHARE = 1 / 2;
/** Maximum bytes of memory of parsed JSON per byte of text, as in `[[[[]]]]`. */
const PARSED_JSON = 32;

/** Called when a write has ended: with the committed message, or with the error. */
export type WriteAnswer = (outcome: { readonly stored: StoredMessage } | { readonly error: unknown }) => void;

/** A queued message. */
export interface Send {
  readonly draft: MessageDraft;
  readonly answer: WriteAnswer;
  /** The extras in the form of the parameter of the batch statement. */
  readonly extras: string | null;
  readonly bytes: number;
  /** Messages with the same `clientMessageId` in the same batch, which wait for the result of this one. */
  readonly repeats: Send[];
}

/** Messages to be stored by one statement. */
export interface NextBatch {
  readonly sends: readonly Send[];
  /** The chats, if all messages are plain. */
  readonly plainIn?: readonly ChatId[] | undefined;
}

/** Provides the properties of a queued message that determine its batch. */
export interface SendSorter {
  /** Returns the chat of a message, if it is known. */
  chatOf(draft: MessageDraft): ChatId | undefined;
  /** Returns true if the statement for plain messages can store it. */
  isPlain(send: Send, chatId: ChatId): boolean;
}

type QueueLimits = Pick<Limits, 'queueLength' | 'queueBytes'>;

/**
 * A bounded queue of messages in the order of arrival. While a chat is held, its new messages are kept outside of the
 * queue, so that other messages do not wait for them. Only groups are held.
 */
export class WriterQueue {
  readonly #limits: QueueLimits;
  readonly #sorter: SendSorter;
  #sends: Send[] = [];
  readonly #held = new Map<ChatId, Send[]>();
  #changes = 0;
  #length = 0;
  #bytes = 0;
  /** The held part of these. */
  #heldLength = 0;
  #heldBytes = 0;

  constructor(limits: QueueLimits, sorter: SendSorter) {
    this.#limits = limits;
    this.#sorter = sorter;
  }

  /** Returns the number of queued messages and changes. */
  get length(): number {
    return this.#length + this.#changes;
  }

  /** Returns the bytes of memory of the queued messages and changes. */
  get bytes(): number {
    return this.#bytes + this.#changes * CHANGE_BYTES;
  }

  /** Returns true if there is room for another message of usual size. */
  get hasRoom(): boolean {
    return this.length < this.#limits.queueLength && this.bytes + 2 * SEND_BYTES <= this.#limits.queueBytes;
  }

  /** Adds a message; returns false if the queue is full. */
  add(send: Send): boolean {
    const held = this.#heldFor(send);
    if (!this.#fits(send.bytes) || (held && !this.#fitsBeside(send.bytes))) return false;
    (held ?? this.#sends).push(send);
    this.#count(send, 1);
    if (held) this.#countHeld(send, 1);
    return true;
  }

  /** Counts a waiting change until the returned function is called; returns undefined if the queue is full. */
  addChange(): (() => void) | undefined {
    if (!this.#fits(CHANGE_BYTES)) return undefined;
    this.#changes++;
    return () => {
      this.#changes--;
    };
  }

  /** Holds new messages for a group until it is released, and moves its queued messages to the head of the queue. */
  hold(groupId: ChatId): void {
    this.#held.set(groupId, []);
    const [theirs, others] = partition(this.#sends, (send) => isTo(send, groupId));
    if (theirs.length > 0) this.#sends = [...theirs, ...others];
  }

  /** Moves the held messages of a group to the head of the queue. */
  release(groupId: ChatId): void {
    const held = this.#held.get(groupId);
    this.#held.delete(groupId);
    if (!held || held.length === 0) return;
    for (const send of held) this.#countHeld(send, -1);
    this.#sends = [...held, ...this.#sends];
  }

  /** Returns true if messages for a group are queued that are not held. */
  has(groupId: ChatId): boolean {
    return this.#sends.some((send) => isTo(send, groupId));
  }

  /** Puts messages back at the head of the queue. */
  putBack(sends: readonly Send[]): void {
    this.#sends = [...sends, ...this.#sends];
    for (const send of sends) this.#count(send, 1);
  }

  /** Removes and returns the messages of a connection. */
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
   * Removes and returns the next batch; undefined if only held messages are left. The first message determines whether
   * it is a batch of plain messages. Messages of the other kind stay, and so do those with another `ifSeq` than the
   * batch has in their chat ({@link BatchConditions}). Later messages in the same chats stay as well, so that each chat
   * keeps the order of arrival.
   */
  takeBatch(): NextBatch | undefined {
    const sends: Send[] = [];
    const chatIds: ChatId[] = [];
    const staying: Send[] = [];
    const stayingIn = new Set<ChatKey>();
    const conditions = new BatchConditions((draft) => this.#keyOf(draft));
    let isPlainBatch: boolean | undefined;
    let letters = 0;
    let seen = 0;
    for (const send of this.#sends) {
      if (sends.length === MAX_BATCH || letters > MAX_BATCH_LETTERS || staying.length === MAX_BATCH) break;
      seen++;
      const chatId = this.#sorter.chatOf(send.draft);
      const isPlain = chatId !== undefined && this.#sorter.isPlain(send, chatId);
      isPlainBatch ??= isPlain;
      const chat = chatId ?? unknownDialog(send.draft);
      if (isPlain !== isPlainBatch || stayingIn.has(chat) || !conditions.admits(send.draft, chat, sends)) {
        staying.push(send);
        stayingIn.add(chat);
        continue;
      }
      letters += lettersOf(send.draft);
      this.#count(send, -1);
      sends.push(send);
      if (isPlain) chatIds.push(chatId);
    }
    this.#sends.splice(0, seen, ...staying);
    if (sends.length === 0) return undefined;
    return joinRepeats(isPlainBatch ? { sends, plainIn: chatIds } : { sends });
  }

  #keyOf(draft: MessageDraft): ChatKey {
    return this.#sorter.chatOf(draft) ?? unknownDialog(draft);
  }

  /** An empty queue accepts a message of any size. */
  #fits(bytes: number): boolean {
    const { queueLength, queueBytes } = this.#limits;
    return this.length === 0 || (this.length < queueLength && this.bytes + bytes <= queueBytes);
  }

  /** The same for held messages. */
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

/** Returns true if a message is addressed to a group. */
export function isTo({ draft: { to } }: Send, groupId: ChatId): boolean {
  return 'groupId' in to && to.groupId === groupId;
}

/** Returns the share of a message in the size of its batch. */
function lettersOf({ content, extras }: MessageDraft): number {
  return content.length + (extras?.custom ? CUSTOM_LETTERS : 0);
}

/** Divides messages into those that pass `test` and the others. */
function partition(sends: readonly Send[], test: (send: Send) => boolean): [Send[], Send[]] {
  const found: Send[] = [];
  const others: Send[] = [];
  for (const send of sends) (test(send) ? found : others).push(send);
  return [found, others];
}

/** Removes messages that repeat another one of the batch and attaches them to that one. */
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

/** Returns the maximum bytes of memory of a queued message. */
export function memoryOf({ content, extras: parsed }: MessageDraft, extras: string | null): number {
  const text = 2 * content.length + SEND_BYTES; // a string takes at most two bytes per character
  if (extras === null) return text;
  return text + extras.length * (parsed?.custom ? PARSED_JSON : 2);
}
