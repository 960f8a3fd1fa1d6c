import type { ChatId, ConnectionId, MessageId, UserId } from '../ids.ts';
import type { Trace } from '../observability/tracing.ts';
import type { CustomData } from '../protocol/schema/types.ts';

/** A message to be stored, addressed to a group or to a person. */
export interface MessageDraft {
  readonly senderId: UserId;
  readonly to: { readonly groupId: ChatId } | { readonly receiverId: UserId };
  readonly kind: 'text' | 'system';
  readonly content: string;
  readonly clientMessageId?: string | undefined;
  readonly extras?: MessageExtras | undefined;
  /** The connection it came from: it gets the reply and not the push. */
  readonly origin: ConnectionId;
  /** Told when it was committed and pushed. */
  readonly trace?: Trace | undefined;
}

/** What most messages do not have. */
export interface MessageExtras {
  /** A message of the same chat. */
  readonly replyTo?: MessageId | undefined;
  /** True: it does not count as unread. */
  readonly silent?: boolean | undefined;
  /** The integrator's own data; of a system message, what happened. */
  readonly custom?: CustomData | undefined;
  /** Who wrote it first, and the username at that moment, which is not stored. */
  readonly forwardedFrom?: UserId | undefined;
  readonly forwardedFromName?: string | undefined;
}

/** The extras of a message; undefined for one that has none, which costs least. */
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
  /** Members whom the content names with `@`; null for none. */
  readonly mentions: UserId[] | null;
  /** True when an earlier message with the same `clientMessageId` answers for it and nothing was stored. */
  readonly repeated: boolean;
}

/** Returns what the reply to a send says, beside `data`, `message` and `senderName`. */
export function sendReply({ messageId, seq, createdAt, mentions }: StoredMessage) {
  return mentions ? { messageId, seq, createdAt, mentions } : { messageId, seq, createdAt };
}
