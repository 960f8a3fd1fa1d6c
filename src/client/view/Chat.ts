import type { ParleyError } from '../errors.ts';
import type { ChatAddress, Message, Params } from '../protocol.ts';
import type { Observable } from './Store.ts';
import type { ChatSummary } from './summary.ts';

/** A message as a conversation shows it. One that is not stored yet has neither `messageId` nor `seq`: both are 0. */
export interface ChatMessage extends Message {
  /** Stays the same when a message that was sent is stored. */
  readonly key: string;
  /** True if this user wrote it. */
  readonly isOwn: boolean;
  /** Of one's own: how far it has come; `delivered` and `read` in dialogs only. Of others: `sent`. */
  readonly status: 'sending' | 'failed' | 'sent' | 'delivered' | 'read';
  /** Why it failed. */
  readonly error: ParleyError | undefined;
}

export type SendOptions = Pick<Params<'privateMessage'>, 'replyTo' | 'silent' | 'custom'>;

/** A chat that is looked at. */
export interface Chat {
  readonly address: ChatAddress;
  /** As the list has it; undefined while nothing was ever written. */
  readonly summary: Observable<ChatSummary | undefined>;
  /**
   * A run of messages up to the newest, without a hole, then those that are being sent. Read on the first look, and anew
   * when this user comes into a group again; none of a group that one is not in.
   */
  readonly messages: Observable<readonly ChatMessage[]>;
  /** Usernames of those who are typing. */
  readonly typing: Observable<readonly string[]>;
  /** True if there is more before the first message. */
  readonly hasOlder: boolean;
  /** Reads older messages, or back to `seq`. */
  loadOlder(seq?: number): Promise<void>;
  /** Shows a message at once and sends it; rejects when it is refused, and it stays as `failed`. */
  send(content: string, options?: SendOptions): Promise<void>;
  /** Takes a message that failed away. */
  discard(key: string): void;
  /** Marks everything as read. */
  markRead(): Promise<void>;
  /** To be called with each keystroke, and with false when the writing is over or given up. */
  setTyping(typing: boolean): void;
}
