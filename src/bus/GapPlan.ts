import type { ChatId, ConnectionId } from '../ids.ts';
import type { PushMessage } from './bus.ts';
import type { ChatSequence } from './ChatSequence.ts';
import type { ReadPush } from './chatRecord.ts';

/** Milliseconds in which a gap may close by itself: publications of two nodes overtake each other by less. */
const PATIENCE = 100;
/** Milliseconds before the database is asked again after a failure. */
const RETRY = 1_000;
/** Messages read at once. */
const PAGE = 250;
/** Messages beyond which a gap is given up: clients read what they need, and pushing all would delay everything else. */
const MAX_GAP = 5_000;
/** The same in characters of frames. */
const MAX_GAP_BYTES = 4 * 1024 * 1024;

/** Next action to fill the gap of a chat. */
export type GapStep =
  /** Read which message was the newest one visible to a `pg_snapshot`; see {@link GapPlan.startRead}. */
  | { readonly kind: 'readStart'; readonly snapshot: string }
  /** Read which message is the newest one; see {@link GapPlan.headRead}. */
  | { readonly kind: 'readHead' }
  /** Read messages; see {@link GapPlan.messagesRead}. */
  | { readonly kind: 'readMessages'; readonly from: number; readonly to: number }
  /** More is missing than is pushed; see {@link GapPlan.giveUp}. */
  | { readonly kind: 'giveUp'; readonly to: number; readonly missing: number };

/**
 * Returns the milliseconds to wait before a new gap is filled. Nothing arrives by itself while other nodes cannot be
 * reached.
 */
export const delayBeforeFilling = (isUrgent: boolean, isConnected: boolean): number =>
  isUrgent || !isConnected ? 0 : PATIENCE;

/**
 * Decides how the gap of one chat is filled, step by step: `next` names a step, and the method of that step takes its
 * result. Neither waits nor reads.
 */
export class GapPlan {
  readonly #chatId: ChatId;
  readonly #sequence: ChatSequence<PushMessage>;
  readonly #snapshot: string;
  /** True if the newest message of the chat has to be looked up before its gap is known. */
  #needsHead = false;
  /** True if the beginning of the sequence was asked for and is too far back to be found. */
  #isStartUnknown = false;
  /** The newest message, where the beginning of the sequence is not known. */
  #head: number | undefined;
  /** Connections that do not get the push of a `seq`, because they get a reply. */
  #replied: Map<number, ConnectionId> | undefined;
  /** Messages and characters pushed so far to fill the gap. */
  #messages = 0;
  #bytes = 0;

  /** `snapshot` says what was visible when the topic was subscribed to; see `Bus.begin`. */
  constructor(chatId: ChatId, sequence: ChatSequence<PushMessage>, snapshot = '') {
    this.#chatId = chatId;
    this.#sequence = sequence;
    this.#snapshot = snapshot;
  }

  /** Has the newest message of the chat looked up first. */
  requireHead(): void {
    this.#needsHead = true;
  }

  /** Leaves a connection out of the push of a message that it gets a reply for. */
  exclude(seq: number, connection: ConnectionId): void {
    this.#replied ??= new Map();
    this.#replied.set(seq, connection);
  }

  /** Returns what to do next; undefined when there is no gap. */
  next(): GapStep | undefined {
    const { last } = this.#sequence;
    if (last === undefined) return this.#findStart();
    if (this.#needsHead) return { kind: 'readHead' };
    const { gap } = this.#sequence;
    if (!gap) return undefined;
    const { from, to } = gap;
    if (to - from >= MAX_GAP - this.#messages || this.#bytes > MAX_GAP_BYTES)
      return { kind: 'giveUp', to, missing: to - last };
    return { kind: 'readMessages', from, to: Math.min(to, from + PAGE - 1) };
  }

  /** Takes the newest message that was visible to the snapshot; undefined when it is too far back to be found. */
  startRead(start: number | undefined): void {
    if (start === undefined) this.#isStartUnknown = true;
    else this.#sequence.begin(start);
  }

  /** Takes the newest message of the chat. */
  headRead(head: number): void {
    if (this.#sequence.last === undefined) {
      this.#head = head;
    } else {
      this.#needsHead = false;
      this.#sequence.raise(head);
    }
  }

  /** Takes the messages that were read up to `to`, lowest `seq` first, and delivers them. */
  messagesRead(messages: readonly ReadPush[], to: number): void {
    const pushes = messages.map(({ seq, ...push }): [number, PushMessage] => {
      this.#bytes += push.frame.length;
      const position = { chatId: this.#chatId, seq };
      return [seq, { ...push, position, except: this.#replied?.get(seq) }];
    });
    this.#sequence.fill(pushes, to);
    this.#messages += messages.length;
  }

  /** Counts everything up to `to` as delivered. */
  giveUp(to: number): void {
    this.#sequence.skipTo(to);
  }

  /** Returns the milliseconds after which to go on, when some steps were taken; undefined when the gap is filled. */
  delayToNext(hasFailed: boolean): number | undefined {
    if (!this.#sequence.hasGap && !this.#needsHead) return undefined;
    return hasFailed ? RETRY : 0;
  }

  #findStart(): GapStep {
    if (!this.#isStartUnknown) return { kind: 'readStart', snapshot: this.#snapshot };
    if (this.#head === undefined) return { kind: 'readHead' };
    return { kind: 'giveUp', to: this.#head, missing: this.#head };
  }
}
