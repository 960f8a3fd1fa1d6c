import { queueOptionsSymbol, type TaskQueue } from 'piscina';

type Task = Parameters<TaskQueue['push']>[0];

interface Options {
  readonly client: string;
  readonly givenUp: () => void;
}

/** Marks a task of a pool as one of a client; `givenUp` is called if the queue gives it up. */
export function ofClient<T extends object>(task: T, client: string, givenUp = () => {}) {
  return { ...task, [queueOptionsSymbol]: { client, givenUp } satisfies Options };
}

/** A queue for the tasks of a pool from which clients take turns: what one of them has queued delays no other one. */
export class FairQueue implements TaskQueue {
  /** By client, in the order of their turns. */
  readonly #waiting = new Map<string, Task[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Tasks that wait for one client. */
  sizeOf(client: string): number {
    return this.#waiting.get(client)?.length ?? 0;
  }

  push(task: Task): void {
    const client = clientOf(task);
    const tasks = this.#waiting.get(client) ?? [];
    tasks.push(task);
    this.#waiting.set(client, tasks);
    this.#size++;
  }

  shift(): Task | null {
    const [next] = this.#waiting;
    if (!next) return null;
    const [client, [task = null, ...rest]] = next;
    this.#waiting.delete(client);
    if (rest.length > 0) this.#waiting.set(client, rest);
    this.#size--;
    return task;
  }

  remove(task: Task): void {
    const client = clientOf(task);
    const tasks = this.#waiting.get(client) ?? [];
    const rest = tasks.filter((other) => other !== task);
    this.#size -= tasks.length - rest.length;
    if (rest.length > 0) this.#waiting.set(client, rest);
    else this.#waiting.delete(client);
  }

  /** Drops all tasks that wait, and rejects them. */
  giveUp(): void {
    const tasks = [...this.#waiting.values()].flat();
    this.#waiting.clear();
    this.#size = 0;
    for (const task of tasks) optionsOf(task)?.givenUp();
  }
}

const clientOf = (task: Task): string => optionsOf(task)?.client ?? '';

const optionsOf = (task: Task) => task[queueOptionsSymbol] as Options | null;
