import type { ChatId, ConnectionId, MessageId, UserId } from '../ids.ts';
import type { Trace } from '../observability/tracing.ts';
import type { CustomData } from '../protocol/schema/types.ts';

/** A message to be stored, addressed to a group or to a user. */
export interface MessageDraft {
  readonly senderId: UserId;
  readonly to: { readonly groupId: ChatId } | { readonly receiverId: UserId };
  readonly kind: 'text' | 'system';
  readonly content: string;
  readonly clientMessageId?: string | undefined;
  readonly extras?: MessageExtras | undefined;
  /** The connection of the sender, which receives the reply and not the push. */
  readonly origin: ConnectionId;
  /** Records when it was committed and pushed. */
  readonly trace?: Trace | undefined;
}

/** Optional parts that most messages do not have. */
export interface MessageExtras {
  /** A message of the same chat. */
  readonly replyTo?: MessageId | undefined;
  /** True if it does not count as unread. */
  readonly silent?: boolean | undefined;
  /** The integrator's own data; of a system message, the event. */
  readonly custom?: CustomData | undefined;
  /** The original author, and their username at that moment, which is not stored. */
  readonly forwardedFrom?: UserId | undefined;
  readonly forwardedFromName?: string | undefined;
  /** The message is stored only if its `seq` is this plus one. Neither stored nor pushed. */
  readonly ifSeq?: number | undefined;
}

/** Returns the extras of a message, or undefined if there are none, which is the fastest case. */
export function extrasOf(options: MessageExtras): MessageExtras | undefined {
  return Object.keys(options).length > 0 ? options : undefined;
}

/** A committed message. */
export interface StoredMessage {
  readonly chatId: ChatId;
  readonly messageId: MessageId;
  readonly seq: number;
  /** ISO 8601, UTC, milliseconds. */
  readonly createdAt: string;
  /** The sender's username at the time of the commit. */
  readonly senderName: string;
  /** Members mentioned with `@` in the content; null for none. */
  readonly mentions: UserId[] | null;
  /** True if an earlier message with the same `clientMessageId` is returned instead and nothing was stored. */
  readonly repeated: boolean;
}

/** Returns the fields of the reply to a send in addition to `data`, `message` and `senderName`. */
export function sendReply({ messageId, seq, createdAt, mentions }: StoredMessage) {
  return mentions ? { messageId, seq, createdAt, mentions } : { messageId, seq, createdAt };
}
