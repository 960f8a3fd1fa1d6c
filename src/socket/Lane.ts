import type { ByteBudget } from '../ByteBudget.ts';

/** A command of a connection on its way to its reply. */
export interface Task {
  /** May run beside pipelined neighbours: its order is kept by whom it hands over to. */
  readonly pipelined: boolean;
  /** Bytes that are kept of it until it is answered. */
  readonly bytes: number;
  /** Called when it has to wait for its turn: it lets go of what it can make again. */
  wait?(): void;
  /** Starts it; `answer` is to be called once, with the reply. */
  run(answer: (reply: string) => void): void;
}

interface Entry {
  readonly task: Task;
  reply?: string;
}

/** What a queue of commands works with. */
export interface LaneOptions {
  readonly send: (reply: string) => void;
  /**
   * Whether the client has taken in most of what it was sent. If not, only pipelined commands start, whose replies are
   * small, until `resume` is called.
   */
  readonly hasRoom: () => boolean;
  /** What all connections keep beyond the share that each has for itself. */
  readonly budget: ByteBudget;
}

/** Bytes that a connection may always keep, however many others there are. */
export const OWN_SHARE = 16 * 1024;

/**
 * Keeps the commands of one connection in order. They run one after another, so that each meets the effect
 * of the one before; neighbours that are all `pipelined` run together. Replies leave in the order of the
 * requests.
 */
export class Lane {
  readonly #options: LaneOptions;
  /** In order of arrival: running ones first, of which some may be done, then waiting ones. */
  readonly #tasks: Entry[] = [];
  #started = 0;
  #bytes = 0;
  #advancing = false;
  #stopped = false;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Commands not yet answered. */
  get length(): number {
    return this.#tasks.length;
  }

  /** Bytes that are kept of them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the budget of all connections has room for so many more bytes here. */
  fits(bytes: number): boolean {
    return this.#options.budget.fits(beyondShare(this.#bytes + bytes) - beyondShare(this.#bytes));
  }

  push(task: Task): void {
    if (this.#stopped) return;
    this.#tasks.push({ task });
    this.#count(task.bytes);
    this.#advance();
    if (this.#started < this.#tasks.length) task.wait?.();
  }

  /** Starts what waited for the client to take in what it was sent. */
  resume(): void {
    this.#advance();
  }

  /** Forgets what did not start, and answers nothing more: the connection has ended. */
  stop(): void {
    this.#stopped = true;
    this.#tasks.length = 0;
    this.#started = 0;
    this.#count(-this.#bytes);
  }

  /** Starts what may start. Not reentrant: a task that answers at once is met by the loop that started it. */
  #advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    for (let next = this.#startable(); next; next = this.#startable()) {
      const entry = next;
      this.#started++;
      entry.task.run((reply) => {
        entry.reply = reply;
        this.#answer();
      });
    }
    this.#advancing = false;
  }

  #startable(): Entry | undefined {
    const next = this.#tasks[this.#started];
    if (!next || !(next.task.pipelined || this.#options.hasRoom())) return undefined;
    const previous = this.#tasks[this.#started - 1];
    return !previous || (previous.task.pipelined && next.task.pipelined) ? next : undefined;
  }

  /** Sends what is done, from the oldest on. */
  #answer(): void {
    for (let head = this.#tasks[0]; head?.reply !== undefined; head = this.#tasks[0]) {
      this.#tasks.shift();
      this.#started--;
      this.#count(-head.task.bytes);
      this.#options.send(head.reply);
    }
    this.#advance();
  }

  #count(bytes: number): void {
    const before = beyondShare(this.#bytes);
    this.#bytes += bytes;
    const change = beyondShare(this.#bytes) - before;
    if (change !== 0) this.#options.budget.add(change);
  }
}

const beyondShare = (bytes: number): number => Math.max(0, bytes - OWN_SHARE);
