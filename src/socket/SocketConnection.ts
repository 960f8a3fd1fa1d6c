import type { WebSocket } from 'uWebSockets.js';
import type { ConnectionId } from '../ids.ts';
import type { PublishToTopic } from '../net/listener.ts';
import { CloseCode } from '../protocol/closeCodes.ts';

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

export type Socket = WebSocket<unknown>;

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
 * One socket. It exists from the moment its token or key was accepted, so that a revocation is not missed while the upgrade
 * still asks the database.
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
 * Closing a closed connection changes nothing; every other transition throws.
 */
export abstract class SocketConnection {
  readonly id: ConnectionId;
  readonly address: string;
  /** Name that the client gives its device, or itself. */
  readonly device: string | null;
  /** Made for the first frame. */
  receiver: Receiver | undefined;
  #state: LifeCycleState = 'admitting';
  #socket: Socket | undefined;
  readonly #publish: PublishToTopic;
  /** A topic to which only this connection is subscribed, once something was sent to it. */
  #topic: string | undefined;

  constructor(id: ConnectionId, address: string, device: string | null, publish: PublishToTopic) {
    this.id = id;
    this.address = address;
    this.device = device;
    this.#publish = publish;
  }

  /** Whose connection it is, for the log. */
  abstract get owner(): Readonly<Record<string, number>>;

  get state(): LifeCycleState {
    return this.#state;
  }

  /** The native socket, while there is one. */
  get socket(): Socket | undefined {
    return this.#socket;
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

  /** Bytes that the client has not read yet. */
  get waitingBytes(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }
}
