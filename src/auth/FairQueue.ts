import { queueOptionsSymbol, type TaskQueue } from 'piscina';

type Task = Parameters<TaskQueue['push']>[0];

/** Marks a task of a pool as one of a client. */
export function ofClient<T extends object>(task: T, client: string) {
  return { ...task, [queueOptionsSymbol]: { client } };
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
}

function clientOf(task: Task): string {
  return (task[queueOptionsSymbol] as { client: string } | null)?.client ?? '';
}
