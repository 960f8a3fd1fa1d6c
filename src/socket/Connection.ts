import type { TokenClaims } from '../auth/tokens.ts';
import type { Topic } from '../bus/topics.ts';
import type { ChatId, ConnectionId, SessionId } from '../ids.ts';
import type { PublishToTopic } from '../net/listener.ts';
import type { Watching } from '../presence/viewers.ts';
import { CompactMap } from './CompactMap.ts';
import { SocketConnection } from './SocketConnection.ts';

/** A group was joined or left at `seq`; `firstSeq` is the oldest message that may be seen, undefined once left. */
interface MembershipNote {
  readonly seq: number;
  readonly firstSeq: number | undefined;
}

/**
 * The connection of a user, with its session. {@link Connections} registers and removes it.
 *
 * Most connections are silent: the fields that only some of them need are undefined until then.
 */
export class Connection extends SocketConnection {
  readonly session: TokenClaims;
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

  constructor(
    id: ConnectionId,
    session: TokenClaims,
    address: string,
    device: string | null,
    publish: PublishToTopic,
  ) {
    super(id, address, device, publish);
    this.session = session;
  }

  get owner() {
    return { userId: this.session.userId };
  }

  /** True once its groups are subscribed to: before that, joining and leaving is only noted. */
  get isSubscribed(): boolean {
    return this.snapshot !== undefined;
  }

  /** True while it receives, or is about to receive, all pushes of its chats. */
  get isFollowing(): boolean {
    return this.isSubscribed && (this.state === 'admitting' || this.state === 'open');
  }

  /** Notes a group joined or left before the connection is subscribed. */
  noteChange(chatId: ChatId, change: MembershipNote): void {
    this.changed ??= new Map();
    this.changed.set(chatId, change);
  }

  /** Publishes to the topic's other sockets. Returns false when this one is not open. */
  publish(topic: Topic, frame: Buffer): boolean {
    this.socket?.publish(topic, frame);
    return this.socket !== undefined;
  }
}
