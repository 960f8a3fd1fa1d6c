import type { Message } from '../protocol.ts';

/** A change of a part of a message by a push or a reply. */
export interface Part {
  /** The message. */
  readonly seq: number;
  /** The version of the message that the change made. */
  readonly version: number;
  /** The name of the part. A newer change of the same part replaces an older one. */
  readonly part: string;
  /** Returns the changed fields. */
  readonly apply: (message: Message) => Partial<Message>;
}

/** The name of the part whose change is applied after all others. */
export const DELETED = 'deleted';

/**
 * Messages of one chat without a gap. Of two states of a part of a message the newer one is kept, in whatever order they
 * arrive.
 */
export class History {
  /** By `seq`, in the state in which they were read or arrived. */
  readonly #messages = new Map<number, Message>();
  /** By `seq` and part. */
  readonly #changes = new Map<number, Map<string, Part>>();
  /** The `seq` of the first and of the last message. */
  first: number;
  newest: number;

  constructor() {
    this.first = Number.POSITIVE_INFINITY;
    this.newest = 0;
  }

  /**
   * Adds a page of messages, lowest `seq` first, before the first one, or the first page. If the first page is ahead of
   * the messages that arrived meanwhile, these are dropped: they are read again with older pages.
   */
  add(messages: readonly Message[]): void {
    const [first] = messages;
    if (first && first.seq > this.newest + 1) this.#drop();
    for (const message of messages) this.#keep(message);
  }

  /**
   * Takes a new message, or the present state of one. Returns false if there is a gap before it, or if another message
   * has its `seq`. If `isRead`, the first page is still being read, and any message may be the first one.
   */
  put(message: Message, isRead = false): boolean {
    const { seq, messageId } = message;
    const known = this.#messages.get(seq);
    const isNext = seq <= this.newest + 1 || (isRead && this.newest === 0);
    if (!isNext || (known && known.messageId !== messageId)) return false;
    if (known || seq > this.newest) this.#keep(message);
    return true;
  }

  /** Changes a part of a message, which may arrive later. */
  change(change: Part): void {
    const { seq, part, version } = change;
    const parts = this.#changes.get(seq) ?? new Map<string, Part>();
    if ((parts.get(part)?.version ?? 0) > version) return;
    this.#changes.set(seq, parts.set(part, change));
  }

  /** Returns the messages in the order of `seq`, each in its present state. */
  list(): Message[] {
    return [...this.#messages.values()]
      .sort((one, other) => one.seq - other.seq)
      .map((one) => this.#current(one));
  }

  /** Replaces each message. */
  map(change: (message: Message) => Message): void {
    for (const [seq, message] of this.#messages) this.#messages.set(seq, change(message));
  }

  #drop(): void {
    this.#messages.clear();
    this.first = Number.POSITIVE_INFINITY;
    this.newest = 0;
  }

  #keep(message: Message): void {
    const { seq, version } = message;
    if (version < (this.#messages.get(seq)?.version ?? 0)) return;
    this.#messages.set(seq, message);
    this.first = Math.min(this.first, seq);
    this.newest = Math.max(this.newest, seq);
  }

  /** Returns a message with its changes, a deletion as the last one. */
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

/** Returns the change that sets the fields of a reaction. A reaction with the count 0 is removed. */
export function withReaction(changes: Partial<Reaction> & Pick<Reaction, 'emoji'>): Part['apply'] {
  return ({ reactions }) => {
    const before = reactions.find(({ emoji }) => emoji === changes.emoji);
    const others = reactions.filter((reaction) => reaction !== before);
    const after = { count: 0, own: false, ...before, ...changes };
    return { reactions: (after.count > 0 ? [...others, after] : others).sort(byEmoji) };
  };
}

/** Compares emojis in the order of the keys of a `jsonb` object, by length in bytes and then by bytes, as the server does. */
function byEmoji(...reactions: [Reaction, Reaction]): number {
  const [one = '', other = ''] = reactions.map(({ emoji }) =>
    String.fromCharCode(...new TextEncoder().encode(emoji)),
  );
  return one.length - other.length || (one < other ? -1 : 1);
}
