import type { ChatId, ConnectionId, SessionId, UserId } from '../ids.ts';
import type { Topic } from './topics.ts';

/** An event about a user that every node with a connection of theirs must act on. */
export type Signal =
  /** The user is a member of a chat from the message at `seq` on: a node that does not follow the chat must do so. */
  | { readonly kind: 'joined'; readonly chatId: ChatId; readonly seq: number }
  /** Connections whose token is older than `tokenVersion` end; without one, all do (the account is deleted). */
  | { readonly kind: 'revoked'; readonly tokenVersion?: number }
  /** The connection with this session ends, and all that were opened with the token, if one is named. */
  | { readonly kind: 'ended'; readonly sessionId?: SessionId; readonly tokenId?: string }
  /** All end but the connection of this session, and those with tokens that were issued after `since`; see `TokenClaims`. */
  | { readonly kind: 'othersEnded'; readonly sessionId: SessionId; readonly since?: number | undefined }
  /** The presence of that user is not to be seen any more, until a comparison with the database shows it again. */
  | { readonly kind: 'unwatch'; readonly userId: UserId }
  /** Something about the user has changed: their connections are to be compared with the database. */
  | { readonly kind: 'reconcile' };

/** A chat, and the `seq` of one of its messages. */
export interface ChatPosition {
  readonly chatId: ChatId;
  readonly seq: number;
}

/** Changes of a group's members that a message carries: they take effect in its place in the order of the chat. */
export interface MembershipChange {
  /** Members from this message on, which is the first that is pushed to them. */
  readonly joined?: readonly UserId[];
  /** The oldest message that those who joined may see. */
  readonly firstSeq?: number;
  /** Members up to this message, which is the last that is pushed to them. */
  readonly left?: readonly UserId[];
  /** The group was deleted: all its members leave. */
  readonly closes?: true;
}

/** The chat of a push that has no `seq` of its own, such as an edit. */
export interface PushContext {
  readonly chatId: ChatId;
  /** `last_seq` of the chat as the change read it: the push is delivered after that message. */
  readonly head: number;
  /** `seq` of the message that was changed: only members who may see it receive the push. */
  readonly seq?: number;
  /** Number of the change, counted 1, 2, 3 … for each message under its lock: pushes arrive in that order. */
  readonly version?: number;
  /** Part of the message that the push shows the state of: a newer push of the same part replaces an older one. */
  readonly part?: string;
}

/** A serialised push, or a signal to the nodes themselves. */
export type BusMessage =
  /** `except` is the connection that caused the push, on the node that publishes; it has its reply. */
  | {
      readonly frame: string;
      readonly except?: ConnectionId | undefined;
      /** Users who do not get it although they are subscribed. */
      readonly exceptUsers?: readonly UserId[];
      /** Of a message that was stored: those of a chat reach the sockets in the order of `seq`. Between nodes: `place`. */
      readonly position?: ChatPosition;
      /** Members who join or leave the chat with this message. */
      readonly membership?: MembershipChange | undefined;
      /** Of a push that is about a chat or one of its messages, and has no position in it. */
      readonly about?: PushContext | undefined;
      /** Of no use a moment later: nodes that cannot receive it in time do not get it. Between nodes: `isPassing`. */
      readonly isTransient?: true;
    }
  | { readonly signal: Signal };

/** A serialised push. */
export type PushMessage = Extract<BusMessage, { readonly frame: string }>;

export type Unsubscribe = () => void;

/** Names a publication that has no position in a chat: each node numbers its own 0, 1, 2 … from its start on. */
export interface Origin {
  readonly node: string;
  readonly number: number;
}

/** A publication of one node to the others: a message, or how far a chat is of which they may have missed some. */
export type NodeMessage = (BusMessage & { readonly origin?: Origin }) | { readonly head: ChatPosition };

/** Publishes messages to topics. */
export interface Publisher {
  /** Publishes a message to the subscribers of a topic on every node. */
  publish(topic: Topic, message: BusMessage): void;
}

/** Publishes messages, and puts replies in their place among them. */
export interface OrderedPublisher extends Publisher {
  /** Calls `then` once the subscriber of the topic received a chat up to `head`; at once if there is no subscriber. */
  after(topic: Topic, head: ChatPosition, then: () => void): void;
}

/**
 * Carries messages between nodes, below the ordered bus. Those of one topic arrive in the order published, as far as the
 * transport can; those of one chat may overtake each other, be lost, or arrive twice. A publisher's own node receives
 * within `publish`. After an outage the transport calls its owner for what may be missing.
 */
export interface BusTransport extends Publisher {
  /** True if other nodes publish, too. */
  readonly isShared: boolean;
  /** True while publications of other nodes arrive. */
  readonly isConnected: boolean;
  /** A topic has one subscriber on a node. */
  subscribe(topic: Topic, deliver: (message: BusMessage) => void): Unsubscribe;
  /**
   * Notifies the subscribers of a topic on every node that a chat is at least that far. They read from the database
   * what they do not have.
   */
  publishHead(topic: Topic, head: ChatPosition): void;
  /** Delivers a message that arrived in another way to the subscribers of this node. */
  receive(topic: Topic, message: NodeMessage): void;
  /** Resolves when everything that other nodes publish from now on reaches the subscriptions made so far. */
  settled(): Promise<void>;
  /**
   * Returns a function that returns true once the changes published so far are on their way to the other nodes, even if
   * this one is killed.
   */
  checkpoint(): () => boolean;
  close(): Promise<void>;
}

/**
 * Carries messages to all nodes with a subscriber of their topic, this one included. Messages of one topic arrive in the
 * order published, and those of one chat in the order of `seq`, each once. The record is PostgreSQL, where missing
 * messages of a chat are read.
 */
export interface Bus extends BusTransport, OrderedPublisher {
  /**
   * Sets how far the chats of a topic were when it was subscribed to: nothing that follows may be missed. Instead of the
   * heads, `snapshot` (a `pg_snapshot` as text) may say which messages were visible then.
   */
  begin(topic: Topic, heads: Iterable<ChatPosition> | undefined, snapshot?: string): void;
  /**
   * Has everything delivered that was not yet of a chat up to `head`, or, where its `seq` is infinite, up to the newest
   * message in the database. `replied` is the connection that gets a reply for the message at the head, and not its
   * push.
   */
  catchUp(topic: Topic, head: ChatPosition, replied?: ConnectionId): void;
  /** Returns up to which `seq` a chat was delivered to a topic; undefined where that is not known. */
  position(topic: Topic, chatId: ChatId): number | undefined;
}
