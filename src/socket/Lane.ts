/** A command of a connection on its way to its reply. */
export interface Task {
  /** May run beside pipelined neighbours: its order is kept by whom it hands over to. */
  readonly pipelined: boolean;
  /** Resolves to the reply; never rejects. */
  run(): Promise<string>;
}

/**
 * Keeps the commands of one connection in order. They run one after another, so that each meets the effect
 * of the one before; neighbours that are all `pipelined` run together. Replies leave in the order of the
 * requests.
 */
export class Lane {
  readonly #send: (reply: string) => void;
  /** In order of arrival: running ones first, of which some may be done, then waiting ones. */
  readonly #tasks: { readonly task: Task; reply?: string }[] = [];
  #started = 0;

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

  #advance(): void {
    for (;;) {
      const next = this.#tasks[this.#started];
      const previous = this.#tasks[this.#started - 1];
      if (!next || (previous && !(previous.task.pipelined && next.task.pipelined))) return;
      this.#started++;
      next.task.run().then((reply) => {
        next.reply = reply;
        this.#answer();
      });
    }
  }

  #answer(): void {
    for (let head = this.#tasks[0]; head?.reply !== undefined; head = this.#tasks[0]) {
      this.#tasks.shift();
      this.#started--;
      this.#send(head.reply);
    }
    this.#advance();
  }
}
