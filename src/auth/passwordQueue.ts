import { queueOptionsSymbol, type TaskQueue } from 'piscina';
import { FairQueue } from '../FairQueue.ts';

type Task = Parameters<TaskQueue['push']>[0];

interface Options {
  readonly client: string;
  readonly givenUp: () => void;
}

/** Marks a task of a pool as one of a client; `givenUp` is called if the queue gives it up. */
export function ofClient<T extends object>(task: T, client: string, givenUp = () => {}) {
  return { ...task, [queueOptionsSymbol]: { client, givenUp } satisfies Options };
}

/** The queue of a pool of threads, from which clients take turns. */
export class PasswordQueue implements TaskQueue {
  readonly #queue = new FairQueue<string, Task>();

  get size(): number {
    return this.#queue.size;
  }

  /** Tasks that wait for one client. */
  sizeOf(client: string): number {
    return this.#queue.sizeOf(client);
  }

  push(task: Task): void {
    this.#queue.push(clientOf(task), task);
  }

  shift(): Task | null {
    return this.#queue.shift() ?? null;
  }

  remove(task: Task): void {
    this.#queue.remove(clientOf(task), task);
  }

  /** Drops all tasks that wait, and rejects them. */
  giveUp(): void {
    for (const task of this.#queue.clear()) optionsOf(task)?.givenUp();
  }
}

const clientOf = (task: Task): string => optionsOf(task)?.client ?? '';

const optionsOf = (task: Task) => task[queueOptionsSymbol] as Options | null;
