import type { WebSocket } from 'uWebSockets.js';
import type { Session } from '../auth/session.ts';
import type { Topic } from '../bus/topics.ts';
import type { ChatId, ConnectionId, SessionId } from '../ids.ts';
import type { PublishToTopic } from '../net/listener.ts';
import type { Watching } from '../presence/Presence.ts';
import { CloseCode } from '../protocol/closeCodes.ts';
import { CompactMap } from './CompactMap.ts';

/** What receives the frames of one connection. */
export interface Receiver {
  onFrame(frame: string): void;
  /** A binary frame, which the protocol has no use for, gets an error reply. */
  onBinary(): void;
  /** The client has taken in some of what waited for it. */
  onDrain(): void;
  /** The socket is gone. */
  onDisconnect(): void;
  /** The server ends the connection: nothing that waits for its turn runs any more. */
  stop(): void;
  /** The token is not valid any more: nor does what this connection wrote and is not on its way to the database. */
  revoke(): void;
  /** Returns the number of frames accepted and not yet answered. */
  unanswered(): number;
}

/** A group was joined or left at `seq`; `firstSeq` is the oldest message that may be seen, undefined once left. */
interface MembershipNote {
  readonly seq: number;
  readonly firstSeq: number | undefined;
}

/** What an upgrade hands to the socket it opens. */
export interface SocketData {
  readonly connection: Connection;
}

/**
 * A frame as the bytes to send. Never a string: builds of the socket library for newer versions of Node send
 * strings that are Latin-1 inside as Latin-1, not as UTF-8.
 */
export const bytesOf = (frame: string): Buffer => Buffer.from(frame);

/** Characters from which on a frame fills a system call by itself. */
const LARGE_FRAME = 16 * 1024;

let turnIsNew = true;

/** True once in all that is done before anything else is read or due. */
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
 * One socket and its session. It exists from the moment its token was accepted, so that what happens to the
 * user while the upgrade still asks the database is not missed; `socket` is there while it is open. Most connections
 * are silent: what only some of them need is made when they do.
 */
export class Connection {
  readonly id: ConnectionId;
  readonly session: Session;
  readonly address: string;
  /** What the client calls its device, or itself. */
  readonly device: string | null;
  /** Its number in the record of sessions, from the moment it is admitted. */
  sessionId: SessionId = 0;
  /** Of the record of sessions: when it was opened, in milliseconds since the epoch by the clock of the database. */
  connectedAt = 0;
  /** Whose presence it watches; undefined where that is nobody's. */
  watching: Watching | undefined;
  /** How often its user was told to see nothing more of somebody's presence. */
  hidings = 0;
  /** Groups its user is in, each with the oldest message that this member may see. */
  readonly groups = new CompactMap<ChatId>();
  /** Of its groups those that this node delivers older messages of still: pushes begin behind that `seq`. */
  readonly behind = new CompactMap<ChatId>();
  /** Groups joined and left while the upgrade was under way; undefined where there are none. */
  changed: Map<ChatId, MembershipNote> | undefined;
  /** What of the database was visible (a `pg_snapshot` as text) when its groups were read. */
  snapshot: string | undefined;
  /** Its groups are listened to: from here on what happens is not only noted. */
  isSubscribed = false;
  /** How often a message let it into a group or out of one. */
  changes = 0;
  socket: Socket | undefined;
  /** Made for the first frame that comes: most connections are silent. */
  receiver: Receiver | undefined;
  /** Counted in the presence of its user. */
  isPresent = false;
  readonly #publish: PublishToTopic;
  /** A topic that only this connection listens to, once something was sent to it. */
  #topic: string | undefined;
  /** Set when it must not open any more. */
  ended = false;
  /** It is to be closed in a moment, for it has to synchronise: nothing more of its chats is pushed. */
  isLeaving = false;

  constructor(
    id: ConnectionId,
    session: Session,
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

  /**
   * Sends a frame. The first of a turn goes at once: a lone sender waits for nothing else. Others go by way of a topic of
   * their own: the socket library then writes all that the turn has for this socket, replies and pushes in their order,
   * in one system call.
   */
  send(frame: string): void {
    // The library puts what is published before it first, and knows at once how much waits for the client.
    if (frame.length > LARGE_FRAME || isFirstOfTurn()) this.socket?.send(bytesOf(frame));
    else this.#publish(this.#topic ?? this.#subscribe(), bytesOf(frame));
  }

  #subscribe(): string {
    const topic = `connection:${this.id}`;
    if (this.socket?.subscribe(topic)) this.#topic = topic;
    return topic;
  }

  /** Notes a group joined or left while the upgrade is under way. */
  noteChange(chatId: ChatId, change: MembershipNote): void {
    this.changed ??= new Map();
    this.changed.set(chatId, change);
  }

  /** Bytes that wait for the client to take them in. */
  get waitingBytes(): number {
    return this.socket?.getBufferedAmount() ?? 0;
  }

  /** Publishes to the topic's other sockets. False when this one is not open. */
  publish(topic: Topic, frame: Buffer): boolean {
    this.socket?.publish(topic, frame);
    return this.socket !== undefined;
  }

  /** Ends it at once, with what waits for a client that does not read. */
  drop(): void {
    this.ended = true;
    this.receiver?.stop();
    this.socket?.close();
  }

  close(code: CloseCode, reason: string): void {
    this.ended = true;
    this.receiver?.stop();
    if (code === CloseCode.Unauthorized) this.receiver?.revoke();
    this.socket?.end(code, reason);
  }
}
