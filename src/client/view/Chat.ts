import type { SendOptions } from '../commands.ts';
import type { ParleyError } from '../errors.ts';
import type { ChatAddress, Message } from '../protocol.ts';
import type { Observable } from './Store.ts';
import type { ChatSummary } from './summary.ts';

/** A message of a conversation. The `messageId` and `seq` of a message that is not stored yet are 0. */
export interface ChatMessage extends Message {
  /** Identifies the message in its chat; the same before and after it is stored. */
  readonly key: string;
  /** True if this user wrote the message. */
  readonly isOwn: boolean;
  /** The state of a message of this user; `delivered` and `read` in dialogs only. Messages of others are `sent`. */
  readonly status: 'sending' | 'failed' | 'sent' | 'delivered' | 'read';
  /** The reason if the status is `failed`. */
  readonly error: ParleyError | undefined;
}

/** A chat with its messages. Its functions need no `this`. */
export interface Chat {
  readonly address: ChatAddress;
  /** The entry in the list of chats; undefined while the chat has no messages. */
  readonly summary: Observable<ChatSummary | undefined>;
  /**
   * The messages up to the newest one without a gap, then those that are being sent. They are read at the first access,
   * and again after this user was added to the group again. Empty for a group that this user is not in.
   */
  readonly messages: Observable<readonly ChatMessage[]>;
  /** The usernames of the other users who are typing. */
  readonly typing: Observable<readonly string[]>;
  /** True if there may be messages before the first one. */
  readonly hasOlder: boolean;
  /** Reads a page of older messages, or all back to `seq`. Rejects with a {@link ParleyError}. */
  readonly loadOlder: (seq?: number) => Promise<void>;
  /** Shows a message at once and sends it. If it is refused, its status is `failed` and the promise rejects. */
  readonly send: (content: string, options?: SendOptions) => Promise<void>;
  /** Removes a message that failed. */
  readonly discard: (key: string) => void;
  /** Marks all messages as read. */
  readonly markRead: () => Promise<void>;
  /** Shows the other users that this user is typing. Call it with true at each keystroke, and with false at the end. */
  readonly setTyping: (typing: boolean) => void;
}
