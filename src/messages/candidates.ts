import type { ChatId, MessageId } from '../ids.ts';

/** Messages of a chat that may have what is looked for, from one to another. */
export interface Candidate {
  readonly chatId: ChatId;
  readonly firstId: MessageId;
  /** The newest that is looked for. */
  readonly lastId: MessageId;
  /** How many there are. */
  readonly messages: number;
}

/** Messages that are read in the time that it takes to find the first one of a candidate. */
const LOOK_UP = 2;

/** Candidates that are read together, for their messages between two ids. */
export interface Window {
  readonly candidates: readonly Candidate[];
  readonly above: MessageId;
  readonly below: MessageId;
}

/**
 * Candidates of many chats, which go back from the newest message in steps: each step reads the next messages of all that
 * have some, and none is read twice. Chats with few messages have candidates that cover years, and nearly all of them at
 * the same time: so what counts is not how many candidates a step has, but how many messages.
 */
export class CandidateList {
  readonly #candidates: readonly Candidate[];
  /** The newest message that others than these may have. */
  readonly #rest: MessageId;
  readonly #isAll: boolean;
  #below: MessageId;
  /** Candidates that were read down to the last message of the next one. */
  #end = 0;

  /**
   * Takes rows in the order of their last messages, the newest first, of which those of a chat and all together were
   * limited to so many: there may be more behind. Messages are looked for between two ids.
   */
  constructor(
    rows: readonly Candidate[],
    limits: { readonly perChat: number; readonly total: number },
    bounds: { readonly above: MessageId; readonly below: MessageId },
  ) {
    const counts = new Map<ChatId, number>();
    const end = rows.findIndex(({ chatId }, index) => {
      const count = (counts.get(chatId) ?? 0) + 1;
      counts.set(chatId, count);
      return count === limits.perChat || index === limits.total - 1;
    });
    this.#candidates = end < 0 ? rows : rows.slice(0, end);
    this.#rest = rows[end]?.lastId ?? bounds.above;
    this.#below = bounds.below;
    this.#isAll = end < 0;
  }

  /** All messages that are newer than this one were read; undefined where those are all. */
  get searchedTo(): MessageId | undefined {
    if (this.#end < this.#candidates.length) return this.#aboveAt(this.#end);
    return this.#isAll ? undefined : this.#rest;
  }

  /** Returns the next step, of some `messages` as far as one can tell; undefined behind the last one. */
  next(messages: number): Window | undefined {
    const count = this.#candidates.length;
    if (this.#end === count) return undefined;
    // The last step that is not too large, but one candidate at least.
    let [end, tooFar] = [this.#end + 1, count + 1];
    while (end + 1 < tooFar) {
      const middle = (end + tooFar) >> 1;
      if (this.#estimate(middle) <= messages) end = middle;
      else tooFar = middle;
    }
    const [above, below] = [this.#aboveAt(end), this.#below];
    const candidates = this.#candidates
      .slice(0, end)
      .filter(({ firstId, lastId }) => firstId < below && lastId > above);
    this.#below = above + 1;
    this.#end = end;
    return { candidates, above, below };
  }

  /** What is read together with so many candidates: down to the last message of the next one. */
  #aboveAt(end: number): MessageId {
    return this.#candidates[end]?.lastId ?? this.#rest;
  }

  /** Messages that a step of so many candidates reads, if they are evenly spread, and what it takes to find them. */
  #estimate(end: number): number {
    const above = this.#aboveAt(end);
    let sum = 0;
    for (let at = 0; at < end; at++) {
      const { firstId, lastId, messages } = this.#candidates[at] as Candidate;
      const ids = Math.min(lastId + 1, this.#below) - Math.max(firstId, above + 1);
      if (ids > 0) sum += LOOK_UP + Math.max(1, (messages * ids) / (lastId + 1 - firstId));
    }
    return sum;
  }
}
