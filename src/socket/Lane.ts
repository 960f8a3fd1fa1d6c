/** A command of a connection on its way to its reply. */
export interface Task {
  /** May run beside pipelined neighbours: its order is kept by whom it hands over to. */
  readonly pipelined: boolean;
  /** Starts it; `answer` is to be called once, with the reply. */
  run(answer: (reply: string) => void): void;
}

interface Entry {
  readonly task: Task;
  reply?: string;
}

/**
 * Keeps the commands of one connection in order. They run one after another, so that each meets the effect
 * of the one before; neighbours that are all `pipelined` run together. Replies leave in the order of the
 * requests.
 */
export class Lane {
  readonly #send: (reply: string) => void;
  /** In order of arrival: running ones first, of which some may be done, then waiting ones. */
  readonly #tasks: Entry[] = [];
  #started = 0;
  #advancing = false;

  constructor(send: (reply: string) => void) {
    this.#send = send;
  }

  /** Commands not yet answered. */
  get length(): number {
    return this.#tasks.length;
  }

  push(task: Task): void {
    this.#tasks.push({ task });
    this.#advance();
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
    const previous = this.#tasks[this.#started - 1];
    return !previous || (previous.task.pipelined && next?.task.pipelined) ? next : undefined;
  }

  /** Sends what is done, from the oldest on. */
  #answer(): void {
    for (let head = this.#tasks[0]; head?.reply !== undefined; head = this.#tasks[0]) {
      this.#tasks.shift();
      this.#started--;
      this.#send(head.reply);
    }
    this.#advance();
  }
}
