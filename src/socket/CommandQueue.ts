import type { UnansweredBytes } from './UnansweredBytes.ts';

/** A command of a connection on its way to its reply. */
export interface QueuedCommand {
  /** May run beside pipelined neighbours: the part that it calls keeps their order. */
  readonly pipelined: boolean;
  /** Bytes of memory that it takes until it is answered. */
  readonly bytes: number;
  /** Called when it has to wait for its turn: it discards what it can make again. */
  wait?(): void;
  /** Starts the command, which calls `answer` once, with the reply. */
  run(answer: (reply: string) => void): void;
}

interface Slot {
  readonly command: QueuedCommand;
  reply?: string;
}

/** Dependencies of a queue of commands. */
export interface CommandQueueOptions {
  readonly send: (reply: string) => void;
  /**
   * Returns whether the client has read most of what it was sent. If not, only pipelined commands start, whose replies are
   * small, until `resume` is called.
   */
  readonly hasRoom: () => boolean;
  /** Counts the bytes of the connection. */
  readonly memory: UnansweredBytes;
}

/** Answered commands whose slots are freed together. */
const FREED_TOGETHER = 64;

/**
 * Keeps the commands of one connection in order. They run one after another, so that each meets the effect
 * of the one before; neighbours that are all `pipelined` run together. Replies leave in the order of the
 * requests.
 */
export class CommandQueue {
  readonly #options: CommandQueueOptions;
  /** In order of arrival: answered ones until they are freed, running ones, of which some may be done, waiting ones. */
  readonly #slots: (Slot | undefined)[] = [];
  /** Indexes of the oldest that is not answered, and of the next to start. */
  #head = 0;
  #next = 0;
  /** Bytes of memory that the commands take. */
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

  push(command: QueuedCommand): void {
    if (this.#stopped || this.#finished) return;
    this.#slots.push({ command });
    this.#count(command.bytes);
    this.#advance();
    if (this.#next < this.#slots.length) command.wait?.();
  }

  /** Starts the commands that waited for the client to read what it was sent. */
  resume(): void {
    this.#advance();
  }

  /** Starts nothing more: the commands that run are the last to be answered. */
  finish(): void {
    this.#finished = true;
  }

  /** Discards the commands that did not start, and answers nothing more: the connection has ended. */
  stop(): void {
    this.#stopped = true;
    this.#clear();
    this.#count(-this.#bytes);
  }

  /** Starts what may start. Not reentrant: the loop that started a command handles an answer that comes at once. */
  #advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    for (let next = this.#startable(); next; next = this.#startable()) {
      const slot = next;
      this.#next++;
      slot.command.run((reply) => {
        slot.reply = reply;
        this.#answer();
      });
    }
    this.#advancing = false;
  }

  #startable(): Slot | undefined {
    const next = this.#finished ? undefined : this.#slots[this.#next];
    if (!next || !(next.command.pipelined || this.#options.hasRoom())) return undefined;
    const previous = this.#slots[this.#next - 1]; // undefined when it is answered
    return !previous || (previous.command.pipelined && next.command.pipelined) ? next : undefined;
  }

  /** Sends the replies that are there, from the oldest command on. */
  #answer(): void {
    for (let head = this.#slots[this.#head]; head?.reply !== undefined; head = this.#slots[this.#head]) {
      this.#slots[this.#head++] = undefined;
      this.#freeAnswered();
      this.#count(-head.command.bytes);
      this.#options.send(head.reply);
    }
    this.#advance();
  }

  /** Frees the slots of answered commands, many at once: freeing each by itself would move all the others each time. */
  #freeAnswered(): void {
    if (this.#head === this.#slots.length) this.#clear();
    else if (this.#head >= FREED_TOGETHER && 2 * this.#head >= this.#slots.length) {
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
    this.#bytes += bytes;
    this.#options.memory.add(bytes);
  }
}
