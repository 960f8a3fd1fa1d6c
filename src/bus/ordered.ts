import type { Logger } from 'pino';
import type { ConnectionId } from '../ids.ts';
import type { Bus, BusMessage, Carrier, Topic } from './bus.ts';

/** A message as it is pushed, read from the database. */
export interface ReadPush {
  readonly seq: number;
  readonly frame: string;
}

/** Messages of one chat that a topic was told of. */
interface Thread {
  /** Everything up to here was delivered. */
  last: number;
  /** What came too early, by `seq`; most threads never have anything. */
  held: Map<number, BusMessage> | undefined;
  /** It is known that the chat is this far. */
  head: number;
  /** What is to be done once everything up to a `seq` was delivered. */
  waiting: { readonly seq: number; readonly then: () => void }[] | undefined;
  /** A place whose push one connection does not get, for it has a reply. */
  replied: { readonly seq: number; readonly to: ConnectionId } | undefined;
  timer: NodeJS.Timeout | undefined;
}

interface Listener {
  readonly deliver: (message: BusMessage) => void;
  readonly threads: Map<number, Thread>;
  /** How far chats were at first. Once it is known of a topic, a chat that is not there is a new one. */
  heads: Map<number, number> | undefined;
}

/** Milliseconds a hole may fill by itself: publications of two nodes overtake each other by less. */
const PATIENCE = 100;
/** Messages read at once. */
const PAGE = 500;
/** Milliseconds before the database is asked again. */
const RETRY = 1_000;

/**
 * Lets the messages of a chat through in the order of `seq`, each once: they come from several nodes, which overtake
 * each other, and NATS keeps nothing for who was away. A hole that does not fill in a moment is read from the record
 * with `read`, which resolves to the messages of a chat from one `seq` to another.
 */
export function createOrderedBus(
  carrier: Carrier,
  read: (chatId: number, from: number, to: number) => Promise<readonly ReadPush[]>,
  log: Logger,
  healed: (messages: number) => void,
): Bus {
  const listeners = new Map<Topic, Listener>();

  return {
    publish: carrier.publish,
    hear: carrier.hear,
    settled: carrier.settled,
    close: carrier.close,
    subscribe(topic, deliver) {
      const listener: Listener = { deliver, threads: new Map(), heads: undefined };
      listeners.set(topic, listener);
      const unsubscribe = carrier.subscribe(topic, (message) => take(listener, message));
      return () => {
        unsubscribe();
        listeners.delete(topic);
        for (const thread of listener.threads.values()) {
          clearTimeout(thread.timer);
          thread.last = Number.POSITIVE_INFINITY;
          proceed(thread);
        }
        listener.threads.clear();
      };
    },
    begin(topic, heads) {
      const listener = listeners.get(topic);
      if (!listener) return;
      listener.heads ??= new Map();
      for (const { chatId, seq } of heads)
        if (!listener.heads.has(chatId) && !listener.threads.has(chatId)) listener.heads.set(chatId, seq);
    },
    catchUp(topic, { chatId, seq }, except) {
      const listener = listeners.get(topic);
      if (!listener || !(listener.heads || listener.threads.has(chatId))) return; // it may have been told before
      const thread = threadOf(listener, chatId, seq);
      thread.head = Math.max(thread.head, seq);
      if (except !== undefined && seq > thread.last) thread.replied = { seq, to: except };
      heal(listener, chatId, thread);
    },
    after(topic, { chatId, seq }, then) {
      const thread = listeners.get(topic)?.threads.get(chatId);
      if (!thread || seq <= thread.last) return then();
      thread.waiting ??= [];
      thread.waiting.push({ seq, then });
    },
    *groups() {
      for (const [topic, { threads, heads }] of listeners) {
        if (!topic.startsWith('chat:')) continue;
        const chatId = Number(topic.slice('chat:'.length));
        yield { topic, chatId, last: threads.get(chatId)?.last ?? heads?.get(chatId) };
      }
    },
  };

  /** The thread that a message at `seq` belongs to. */
  function threadOf({ threads, heads }: Listener, chatId: number, seq: number): Thread {
    const known = threads.get(chatId);
    if (known) return known;
    const last = heads ? (heads.get(chatId) ?? 0) : seq - 1;
    const thread: Thread = {
      last,
      head: last,
      held: undefined,
      waiting: undefined,
      replied: undefined,
      timer: undefined,
    };
    threads.set(chatId, thread);
    heads?.delete(chatId);
    return thread;
  }

  function take(listener: Listener, message: BusMessage): void {
    if (!('frame' in message) || !message.place) return listener.deliver(message);
    const { chatId, seq } = message.place;
    const thread = threadOf(listener, chatId, seq);
    if (seq <= thread.last) return;
    thread.head = Math.max(thread.head, seq);
    if (seq === thread.last + 1) {
      thread.last = seq;
      listener.deliver(message);
    } else {
      thread.held ??= new Map();
      thread.held.set(seq, message);
    }
    release(listener, thread);
    if (thread.held) heal(listener, chatId, thread);
  }

  /** Delivers what is next. */
  function release({ deliver }: Listener, thread: Thread): void {
    const { held } = thread;
    for (let next = held?.get(thread.last + 1); next; next = held?.get(thread.last + 1)) {
      held?.delete(++thread.last);
      deliver(next);
      proceed(thread); // before the next: who waits sees both in their order
    }
    if (held?.size === 0) thread.held = undefined;
    proceed(thread);
  }

  /** Does what waited for the delivery of what was delivered. */
  function proceed(thread: Thread): void {
    const { waiting } = thread;
    if (!waiting) return;
    thread.waiting = waiting.filter(({ seq }) => seq > thread.last);
    if (thread.waiting.length === 0) thread.waiting = undefined;
    for (const { seq, then } of waiting) if (seq <= thread.last) then();
  }

  function heal(listener: Listener, chatId: number, thread: Thread, delay = PATIENCE): void {
    thread.timer ??= setTimeout(async () => {
      const retry = await fill(listener, chatId, thread).catch((error) => {
        log.warn({ err: error, chatId }, 'missed messages cannot be read now');
        return true;
      });
      thread.timer = undefined;
      // Something may have come too early again meanwhile.
      if (retry || thread.last < thread.head) heal(listener, chatId, thread, retry ? RETRY : PATIENCE);
    }, delay);
  }

  async function fill(listener: Listener, chatId: number, thread: Thread): Promise<boolean> {
    const hole = thread.held ? Math.min(...thread.held.keys()) - 1 : thread.head;
    if (hole <= thread.last) return false;
    const end = Math.min(hole, thread.last + PAGE);
    const missed = await read(chatId, thread.last + 1, end);
    if (listener.threads.get(chatId) !== thread) return false; // nobody listens any more
    let delivered = 0;
    for (const { seq, frame } of missed) {
      release(listener, thread); // some may have come after all
      if (seq <= thread.last) continue;
      thread.held?.delete(seq);
      thread.last = seq;
      listener.deliver({ frame, except: thread.replied?.seq === seq ? thread.replied.to : undefined });
      delivered++;
    }
    thread.last = Math.max(thread.last, end);
    release(listener, thread);
    if (delivered > 0) {
      healed(delivered);
      log.debug({ chatId, delivered }, 'missed messages read from the database');
    }
    return false;
  }
}
