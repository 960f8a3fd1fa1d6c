import type { ChatId, MessageId } from '../ids.ts';

/** A range of messages of a chat that may match a search. */
export interface Candidate {
  readonly chatId: ChatId;
  readonly firstId: MessageId;
  /** The newest message of the range. */
  readonly lastId: MessageId;
  /** Number of messages in the range. */
  readonly messages: number;
}

/** Cost of finding the first message of a candidate, in messages read. */
const LOOK_UP = 2;

/** Candidates that are read together, restricted to messages between two ids. */
export interface Window {
  readonly candidates: readonly Candidate[];
  readonly above: number;
  readonly below: number;
}

/**
 * Divides the candidates of many chats into steps from the newest message backwards. Each step reads the next messages
 * of all candidates that have some, and no message is read twice. Candidates of chats with few messages cover years and
 * overlap, so a step is measured by its number of messages, not of candidates.
 */
export class CandidateList {
  readonly #candidates: readonly Candidate[];
  /** The newest message of the candidates beyond the limits, or the lower bound of the search. */
  readonly #rest: number;
  readonly #isAll: boolean;
  #below: number;
  /** Number of candidates that were read down to the last message of the next one. */
  #end = 0;

  /**
   * `rows` are ordered by their last message, newest first, and were limited per chat and in total, so there may be
   * more. `bounds` are the ids between which messages are searched.
   */
  constructor(
    rows: readonly Candidate[],
    limits: { readonly perChat: number; readonly total: number },
    bounds: { readonly above: number; readonly below: number },
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

  /** Returns the id above which all messages have been read; undefined if all have. */
  get searchedTo(): number | undefined {
    if (this.#end < this.#candidates.length) return this.#aboveAt(this.#end);
    return this.#isAll ? undefined : this.#rest;
  }

  /** Returns the next step with an estimated number of `messages`; undefined after the last one. */
  next(messages: number): Window | undefined {
    const count = this.#candidates.length;
    if (this.#end === count) return undefined;
    // The largest step within the limit, with at least one candidate.
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

  /** Returns the lower bound of a step with the first `end` candidates: the last message of the next one. */
  #aboveAt(end: number): number {
    return this.#candidates[end]?.lastId ?? this.#rest;
  }

  /** Estimates the cost of a step with the first `end` candidates in messages, if these are evenly distributed. */
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
