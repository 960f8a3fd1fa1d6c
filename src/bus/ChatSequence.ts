/** The messages of a chat that are missing, from one `seq` to another. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

/** Bounds the messages held behind gaps, in all sequences that share it: those beyond are read from the record. */
export class HoldBudget {
  readonly #max: number;
  #used = 0;

  /** At most so many bytes. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Takes room; returns false when there is none. */
  take(bytes: number): boolean {
    if (this.#used + bytes > this.#max) return false;
    this.#used += bytes;
    return true;
  }

  /** Returns room that was taken. */
  giveBack(bytes: number): void {
    this.#used -= bytes;
  }
}

/**
 * Delivers the messages of one chat in the order of `seq`, each once, however they arrive: early ones are held until
 * the gap before them is filled, repeats are dropped.
 */
export class ChatSequence<Item extends { readonly frame: string }> {
  readonly #deliver: (item: Item) => void;
  readonly #budget: HoldBudget;
  #last: number | undefined;
  #head: number;
  #held: Map<number, Item> | undefined;
  /** Lowest `seq` first. */
  #waiting: { readonly seq: number; readonly then: () => void }[] | undefined;

  /** Everything up to `last` counts as delivered; undefined: that is not known yet, see {@link begin}. */
  constructor(last: number | undefined, deliver: (item: Item) => void, budget: HoldBudget) {
    this.#last = last;
    this.#head = last ?? 0;
    this.#deliver = deliver;
    this.#budget = budget;
  }

  /** Everything up to here was delivered. */
  get last(): number | undefined {
    return this.#last;
  }

  /** True while messages are known to be missing. */
  get hasGap(): boolean {
    return this.#last === undefined || this.#head > this.#last;
  }

  /** Sets where the sequence begins, unless that is known. */
  begin(last: number): void {
    if (this.#last !== undefined) return;
    this.skipTo(last);
  }

  /** Delivers a message that arrived, holds it until its turn comes, or drops it. */
  take(seq: number, item: Item): void {
    if (this.#last !== undefined && seq <= this.#last) return;
    this.raise(seq);
    if (seq === (this.#last ?? Number.NaN) + 1) {
      this.#advance(seq, item);
      this.#release();
    } else {
      if (this.#held?.has(seq) || !this.#budget.take(item.frame.length)) return;
      this.#held ??= new Map();
      this.#held.set(seq, item);
    }
  }

  /** Takes note that the chat reaches `seq`. */
  raise(seq: number): void {
    this.#head = Math.max(this.#head, seq);
  }

  /** Calls `then` once everything up to `seq` was delivered, before what follows it. */
  after(seq: number, then: () => void): void {
    if (this.#last !== undefined && seq <= this.#last) return then();
    this.#waiting ??= [];
    // Calls are nearly always in the order of `seq`.
    const behind = this.#waiting.findLastIndex((other) => other.seq <= seq);
    this.#waiting.splice(behind + 1, 0, { seq, then });
  }

  /** The first gap, if there is one. */
  get gap(): Gap | undefined {
    if (this.#last === undefined) return undefined;
    const from = this.#last + 1;
    const to = this.#held?.size
      ? [...this.#held.keys()].reduce((low, seq) => Math.min(low, seq)) - 1
      : this.#head;
    return to < from ? undefined : { from, to };
  }

  /** Fills the gap up to `to` with the messages that the record has, lowest `seq` first. */
  fill(messages: Iterable<readonly [seq: number, item: Item]>, to: number): void {
    for (const [seq, item] of messages) {
      this.#release(); // some may have arrived after all
      if (this.#last === undefined || seq <= this.#last) continue;
      this.#unhold(seq);
      this.#advance(seq, item);
    }
    this.skipTo(to);
  }

  /** Counts everything up to `seq` as delivered. */
  skipTo(seq: number): void {
    if (this.#last === undefined || seq > this.#last) this.#last = seq;
    this.#head = Math.max(this.#head, this.#last);
    for (const held of this.#held?.keys() ?? []) if (held <= this.#last) this.#unhold(held);
    this.#release();
  }

  #advance(seq: number, item: Item): void {
    this.#last = seq;
    this.#deliver(item);
    this.#proceed();
  }

  #release(): void {
    const held = this.#held;
    if (held && this.#last !== undefined) {
      for (let next = held.get(this.#last + 1); next !== undefined; next = held.get(this.#last + 1)) {
        this.#unhold(this.#last + 1);
        this.#advance(this.#last + 1, next);
      }
      if (held.size === 0) this.#held = undefined;
    }
    this.#proceed();
  }

  #unhold(seq: number): void {
    const item = this.#held?.get(seq);
    if (item && this.#held?.delete(seq)) this.#budget.giveBack(item.frame.length);
  }

  #proceed(): void {
    const last = this.#last ?? 0;
    for (let next = this.#waiting?.[0]; next && next.seq <= last; next = this.#waiting?.[0]) {
      this.#waiting?.shift();
      next.then();
    }
    if (this.#waiting?.length === 0) this.#waiting = undefined;
  }
}
