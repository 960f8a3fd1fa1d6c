import type { OwnBudget } from '../ByteBudget.ts';

/** A command of a connection on its way to its reply. */
export interface QueuedCommand {
  /** May run beside pipelined neighbours: its order is kept by whom it hands over to. */
  readonly pipelined: boolean;
  /** Bytes that are kept of it until it is answered. */
  readonly bytes: number;
  /** Called when it has to wait for its turn: it lets go of what it can make again. */
  wait?(): void;
  /** Starts it; `answer` is to be called once, with the reply. */
  run(answer: (reply: string) => void): void;
}

interface Slot {
  readonly task: QueuedCommand;
  reply?: string;
}

/** Dependencies of a queue of commands. */
export interface CommandQueueOptions {
  readonly send: (reply: string) => void;
  /**
   * Returns whether the client has taken in most of what it was sent. If not, only pipelined commands start, whose replies are
   * small, until `resume` is called.
   */
  readonly hasRoom: () => boolean;
  /** What all connections keep beyond the share that each has for itself. */
  readonly budget: OwnBudget;
}

/** Answered commands whose places are given back together. */
const MANY = 64;

/** Bytes that a connection may always keep, however many others there are. */
const OWN_SHARE = 16 * 1024;

/**
 * Keeps the commands of one connection in order. They run one after another, so that each meets the effect
 * of the one before; neighbours that are all `pipelined` run together. Replies leave in the order of the
 * requests.
 */
export class CommandQueue {
  readonly #options: CommandQueueOptions;
  /** In order of arrival: answered ones until they are cleared, running ones, of which some may be done, waiting ones. */
  readonly #slots: (Slot | undefined)[] = [];
  /** The oldest that is not answered, and the next to start. */
  #head = 0;
  #next = 0;
  #bytes = 0;
  #advancing = false;
  #stopped = false;
  #finished = false;

  constructor(options: CommandQueueOptions) {
    this.#options = options;
  }

  /** Commands not yet answered. */
  get length(): number {
    return this.#slots.length - this.#head;
  }

  /** Bytes that are kept of them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** True if the budget of all connections has room for so many more bytes here, or `more` times the budget. */
  fits(bytes: number, more = 1): boolean {
    return this.#options.budget.fits(beyondShare(this.#bytes + bytes) - beyondShare(this.#bytes), more);
  }

  push(task: QueuedCommand): void {
    if (this.#stopped || this.#finished) return;
    this.#slots.push({ task });
    this.#count(task.bytes);
    this.#advance();
    if (this.#next < this.#slots.length) task.wait?.();
  }

  /** Starts what waited for the client to take in what it was sent. */
  resume(): void {
    this.#advance();
  }

  /** Starts nothing more: what runs is the last that is answered. */
  finish(): void {
    this.#finished = true;
  }

  /** Forgets what did not start, and answers nothing more: the connection has ended. */
  stop(): void {
    this.#stopped = true;
    this.#clear();
    this.#count(-this.#bytes);
  }

  /** Starts what may start. Not reentrant: a task that answers at once is met by the loop that started it. */
  #advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    for (let next = this.#startable(); next; next = this.#startable()) {
      const entry = next;
      this.#next++;
      entry.task.run((reply) => {
        entry.reply = reply;
        this.#answer();
      });
    }
    this.#advancing = false;
  }

  #startable(): Slot | undefined {
    const next = this.#finished ? undefined : this.#slots[this.#next];
    if (!next || !(next.task.pipelined || this.#options.hasRoom())) return undefined;
    const previous = this.#slots[this.#next - 1]; // undefined when it is answered
    return !previous || (previous.task.pipelined && next.task.pipelined) ? next : undefined;
  }

  /** Sends what is done, from the oldest on. */
  #answer(): void {
    for (let head = this.#slots[this.#head]; head?.reply !== undefined; head = this.#slots[this.#head]) {
      this.#slots[this.#head++] = undefined;
      this.#forgetAnswered();
      this.#count(-head.task.bytes);
      this.#options.send(head.reply);
    }
    this.#advance();
  }

  /** Once there are many: taking the first away each time would move all the others each time. */
  #forgetAnswered(): void {
    if (this.#head === this.#slots.length) this.#clear();
    else if (this.#head >= MANY && 2 * this.#head >= this.#slots.length) {
      this.#slots.splice(0, this.#head);
      this.#next -= this.#head;
      this.#head = 0;
    }
  }

  #clear(): void {
    this.#slots.length = 0;
    this.#head = 0;
    this.#next = 0;
  }

  #count(bytes: number): void {
    const before = beyondShare(this.#bytes);
    this.#bytes += bytes;
    const change = beyondShare(this.#bytes) - before;
    if (change !== 0) this.#options.budget.add(change);
  }
}

const beyondShare = (bytes: number): number => Math.max(0, bytes - OWN_SHARE);
