import type { Message } from '../protocol.ts';

/** The part of a message that a push or a reply is about. */
export interface Part {
  readonly seq: number;
  /** Of the message since it is so. */
  readonly version: number;
  /** Names the part: a newer change of the same part replaces an older one. */
  readonly part: string;
  readonly apply: (message: Message) => Partial<Message>;
}

/** The part that all others end with. */
export const DELETED = 'deleted';

/**
 * A run of messages of one chat without a hole. The newer state of each part of a message wins, whichever comes first:
 * what happened holds against what was read before it happened.
 */
export class History {
  /** By seq, in no order, as they were read. */
  readonly #messages = new Map<number, Message>();
  /** By seq and part. */
  readonly #changes = new Map<number, Map<string, Part>>();
  /** Seq of the first and the last one. */
  first: number;
  newest: number;

  constructor() {
    this.first = Number.POSITIVE_INFINITY;
    this.newest = 0;
  }

  /** Adds a page that lies before the first message, or begins the run. */
  add(messages: readonly Message[]): void {
    for (const message of messages) this.#keep(message);
  }

  /**
   * Takes a message that is new, or one as it is now. Returns false if it does not fit: something is missing. Where
   * `isRead`, that before the first one is still to come.
   */
  put(message: Message, isRead = false): boolean {
    const { seq, messageId } = message;
    const known = this.#messages.get(seq);
    const isNext = seq <= this.newest + 1 || (isRead && this.newest === 0);
    if (!isNext || (known && known.messageId !== messageId)) return false;
    if (known || seq > this.newest) this.#keep(message);
    return true;
  }

  /** Changes a part of a message, be it there or not yet. */
  change(change: Part): void {
    const { seq, part, version } = change;
    const parts = this.#changes.get(seq) ?? new Map<string, Part>();
    if ((parts.get(part)?.version ?? 0) > version) return;
    this.#changes.set(seq, parts.set(part, change));
  }

  /** Returns the messages in order, each as it is now. */
  list(): Message[] {
    return [...this.#messages.values()]
      .sort((one, other) => one.seq - other.seq)
      .map((one) => this.#current(one));
  }

  /** Changes messages where they are kept. */
  map(change: (message: Message) => Message): void {
    for (const [seq, message] of this.#messages) this.#messages.set(seq, change(message));
  }

  #keep(message: Message): void {
    const { seq, version } = message;
    if (version < (this.#messages.get(seq)?.version ?? 0)) return;
    this.#messages.set(seq, message);
    this.first = Math.min(this.first, seq);
    this.newest = Math.max(this.newest, seq);
  }

  /** A deletion comes last, whenever it was heard of. */
  #current(message: Message): Message {
    const parts = this.#changes.get(message.seq);
    if (!parts) return message;
    const deleted = parts.get(DELETED);
    let current = message;
    for (const change of [...parts.values(), ...(deleted ? [deleted] : [])])
      if (change.version > message.version)
        current = {
          ...current,
          ...change.apply(current),
          version: Math.max(change.version, current.version),
        };
    return current;
  }
}

type Reaction = Message['reactions'][number];

/** Returns what makes a reaction of a message so; one that is there no more is left out. */
export function withReaction(changes: Partial<Reaction> & Pick<Reaction, 'emoji'>): Part['apply'] {
  return ({ reactions }) => {
    const before = reactions.find(({ emoji }) => emoji === changes.emoji);
    const others = reactions.filter((reaction) => reaction !== before);
    const after = { count: 0, own: false, ...before, ...changes };
    return { reactions: (after.count > 0 ? [...others, after] : others).sort(byEmoji) };
  };
}

/** The order that PostgreSQL keeps the keys of a jsonb object in, as messages are read: by length, then by bytes. */
function byEmoji(...reactions: [Reaction, Reaction]): number {
  const [one = '', other = ''] = reactions.map(({ emoji }) =>
    String.fromCharCode(...new TextEncoder().encode(emoji)),
  );
  return one.length - other.length || (one < other ? -1 : 1);
}
