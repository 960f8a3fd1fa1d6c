import { randomBytes } from 'node:crypto';
import type { BusMessage, Topic } from './bus.ts';

/** A publication with a name of its own, so that who hears it twice takes it once. */
export type Named = BusMessage & { readonly id: string };

export interface Publication {
  readonly topic: Topic;
  readonly message: Named;
  /** Milliseconds since the epoch, by the clock of this node. */
  readonly at: number;
}

/** Publications that are kept. */
const MAX_KEPT = 50_000;

/**
 * What this node published last, for nodes that NATS did not bring it to. Messages of chats are not among it: those
 * are read from the database.
 */
export class Recent {
  readonly #node = randomBytes(6).toString('base64url');
  readonly #kept = new Map<number, Publication>();
  #next = 0;
  #forgottenAt = Number.NEGATIVE_INFINITY;

  /** The number of the next publication. */
  get next(): number {
    return this.#next;
  }

  add(topic: Topic, message: BusMessage): Named {
    const number = this.#next++;
    const named = { ...message, id: `${this.#node}.${number}` };
    this.#kept.set(number, { topic, message: named, at: Date.now() });
    const oldest = number - MAX_KEPT;
    this.#forgottenAt = this.#kept.get(oldest)?.at ?? this.#forgottenAt;
    this.#kept.delete(oldest);
    return named;
  }

  /** All from that number on; undefined when some of it is kept no more. */
  from(number: number): Publication[] | undefined {
    if (number < this.#next - MAX_KEPT) return undefined;
    return Array.from({ length: this.#next - number }, (_, n) => this.#kept.get(number + n) as Publication);
  }

  /** All since that time, in milliseconds since the epoch; undefined when some of it is kept no more. */
  since(time: number): Publication[] | undefined {
    if (time <= this.#forgottenAt) return undefined;
    return [...this.#kept.values()].filter(({ at }) => at >= time);
  }
}

/** Names of what was heard: the newest so many. */
export class Heard {
  readonly #ids = new Set<string>();

  /** False when it was heard before. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    if (this.#ids.size > MAX_KEPT) this.#ids.delete(this.#ids.values().next().value as string);
    return true;
  }
}
