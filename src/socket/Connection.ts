import type { WebSocket } from 'uWebSockets.js';
import type { TokenClaims } from '../auth/tokens.ts';
import type { Topic } from '../bus/topics.ts';
import type { ChatId, ConnectionId, SessionId } from '../ids.ts';
import type { PublishToTopic } from '../net/listener.ts';
import type { Watching } from '../presence/viewers.ts';
import { CloseCode } from '../protocol/closeCodes.ts';
import { CompactMap } from './CompactMap.ts';

/** Receives the frames of one connection and answers them. */
export interface Receiver {
  onFrame(frame: string): void;
  /** Answers a binary frame, for which the protocol has no use, with an error reply. */
  onBinary(): void;
  /** Called when the client has read some of what waited for it. */
  onDrain(): void;
  /** Called when the socket has closed. */
  onDisconnect(): void;
  /** Discards the commands that wait for their turn: the server ends the connection. */
  stop(): void;
  /** Discards also what is not on its way to the database yet: the token is not valid any more. */
  revoke(): void;
  /** Returns the number of frames accepted and not yet answered. */
  unanswered(): number;
}

/** A group was joined or left at `seq`; `firstSeq` is the oldest message that may be seen, undefined once left. */
interface MembershipNote {
  readonly seq: number;
  readonly firstSeq: number | undefined;
}

/** User data of a native socket, passed from its upgrade. */
export interface SocketData {
  readonly connection: Connection;
}

/**
 * Returns the bytes of a frame. Never send a string: builds of the socket library for newer versions of Node send
 * strings that are Latin-1 inside as Latin-1, not as UTF-8.
 */
export const bytesOf = (frame: string): Buffer => Buffer.from(frame);

/** Characters from which on a frame fills a system call by itself. */
const LARGE_FRAME = 16 * 1024;

let turnIsNew = true;

/** Returns true for the first call in a turn of the event loop. */
function isFirstOfTurn(): boolean {
  if (!turnIsNew) return false;
  turnIsNew = false;
  queueMicrotask(() => {
    turnIsNew = true;
  });
  return true;
}

export type Socket = WebSocket<SocketData>;

/**
 * The state of a connection:
 * - `admitting`: its token was accepted and its upgrade is under way.
 * - `open`: its socket is open. It takes frames and receives pushes.
 * - `closing`: it has to synchronise and closes once its commands are answered. It takes frames, and receives no pushes of
 *   its chats. Its socket may not be open yet.
 * - `closed`: it takes no frames any more, and its upgrade is refused.
 */
export type LifeCycleState = 'admitting' | 'open' | 'closing' | 'closed';

/**
 * One socket and its session. It exists from the moment its token was accepted, so that what happens to the user while
 * the upgrade still asks the database is not missed.
 *
 * ```
 *             open()             startClosing()
 * admitting ─────────► open ─────────────────────► closing
 *   │ │                  │                          ▲ │ open(): stays
 *   │ └──────────────────┼──── startClosing() ──────┘ │
 *   └────────────────────┴────────────┬───────────────┘
 *                                     ▼ close(), cut(), dropped(), removed()
 *                                   closed
 * ```
 *
 * Closing a closed connection changes nothing; every other transition throws. {@link Connections} registers and removes
 * it.
 *
 * Most connections are silent: the fields that only some of them need are undefined until then.
 */
export class Connection {
  readonly id: ConnectionId;
  readonly session: TokenClaims;
  readonly address: string;
  /** Name that the client gives its device, or itself. */
  readonly device: string | null;
  /** Number in the record of sessions, from the admission on. */
  sessionId = 0 as SessionId;
  /** Time at which it was recorded as open, in milliseconds since the epoch by the clock of the database. */
  connectedAt = 0;
  /** Users whose presence it subscribes to; undefined where there are none. */
  watching: Watching | undefined;
  /** Number of times that a block hid the presence of somebody from its user. */
  timesHidden = 0;
  /** Groups of its user, each with the oldest message that this member may see. */
  readonly groups = new CompactMap<ChatId>();
  /** Groups of which this node still delivers older messages: pushes to this connection begin behind that `seq`. */
  readonly behind = new CompactMap<ChatId>();
  /** Groups joined and left before it was subscribed; undefined where there are none. */
  changed: Map<ChatId, MembershipNote> | undefined;
  /** State of the database (a `pg_snapshot` as text) in which its groups were read; undefined before that. */
  snapshot: string | undefined;
  /** Number of messages that let it into a group or out of one. */
  membershipChanges = 0;
  /** Made for the first frame. */
  receiver: Receiver | undefined;
  #state: LifeCycleState = 'admitting';
  #socket: Socket | undefined;
  readonly #publish: PublishToTopic;
  /** A topic to which only this connection is subscribed, once something was sent to it. */
  #topic: string | undefined;

  constructor(
    id: ConnectionId,
    session: TokenClaims,
    address: string,
    device: string | null,
    publish: PublishToTopic,
  ) {
    this.id = id;
    this.#publish = publish;
    this.session = session;
    this.address = address;
    this.device = device;
  }

  get state(): LifeCycleState {
    return this.#state;
  }

  /** The native socket, while there is one. */
  get socket(): Socket | undefined {
    return this.#socket;
  }

  /** True once its groups are subscribed to: before that, joining and leaving is only noted. */
  get isSubscribed(): boolean {
    return this.snapshot !== undefined;
  }

  /** True while it receives, or is about to receive, all pushes of its chats. */
  get isFollowing(): boolean {
    return this.isSubscribed && (this.#state === 'admitting' || this.#state === 'open');
  }

  /** Begins its life with a socket; one that has to synchronise stays `closing`. */
  open(socket: Socket): void {
    if (this.#socket || this.#state === 'closed') throw this.#illegal('open');
    this.#socket = socket;
    if (this.#state === 'admitting') this.#state = 'open';
  }

  /** Ends its pushes; the caller closes it once its commands are answered. */
  startClosing(): void {
    if (this.#state !== 'admitting' && this.#state !== 'open') throw this.#illegal('start closing');
    this.#state = 'closing';
  }

  /** Closes it with a close frame; with `Unauthorized`, what it asked for is taken back as well. */
  close(code: CloseCode, reason: string): void {
    this.#end();
    if (code === CloseCode.Unauthorized) this.receiver?.revoke();
    this.#socket?.end(code, reason);
  }

  /** Closes it at once, and discards what waits for a client that does not read. */
  cut(): void {
    this.#end();
    this.#socket?.close();
  }

  /** Takes note that the library closes the socket, in a moment, because its client does not read. */
  dropped(): void {
    this.#end();
  }

  /** Takes note that the socket has closed or never opens. What its client has sent before is still done. */
  removed(): void {
    this.#state = 'closed';
    this.#socket = undefined;
  }

  #end(): void {
    this.#state = 'closed';
    this.receiver?.stop();
  }

  #illegal(transition: string): Error {
    return new Error(`connection ${this.id} is ${this.#state} and cannot ${transition}`);
  }

  /**
   * Sends a frame. The first of a turn goes at once: a lone sender waits for nothing else. Others go by way of a topic of
   * their own: the socket library then writes all that the turn has for this socket, replies and pushes in their order,
   * in one system call.
   */
  send(frame: string): void {
    // The library puts what is published before it first, and knows at once how much waits for the client.
    if (frame.length > LARGE_FRAME || isFirstOfTurn()) this.#socket?.send(bytesOf(frame));
    else this.#publish(this.#topic ?? this.#subscribe(), bytesOf(frame));
  }

  #subscribe(): string {
    const topic = `connection:${this.id}`;
    if (this.#socket?.subscribe(topic)) this.#topic = topic;
    return topic;
  }

  /** Notes a group joined or left before the connection is subscribed. */
  noteChange(chatId: ChatId, change: MembershipNote): void {
    this.changed ??= new Map();
    this.changed.set(chatId, change);
  }

  /** Bytes that the client has not read yet. */
  get waitingBytes(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }

  /** Publishes to the topic's other sockets. Returns false when this one is not open. */
  publish(topic: Topic, frame: Buffer): boolean {
    this.#socket?.publish(topic, frame);
    return this.#socket !== undefined;
  }
}
