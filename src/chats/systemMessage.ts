import type { Transaction } from 'sequelize';
import type { ChatId, ConnectionId, MessageId, UserId } from '../ids.ts';
import type { CustomData } from '../protocol/schema/types.ts';

/** The system message of a change, and the effects of the change on the chat. */
export interface SystemMessageDraft {
  readonly groupId: ChatId;
  readonly senderId: UserId;
  /** The username of the sender. */
  readonly senderName: string;
  readonly content: string;
  /** The event. */
  readonly custom: CustomData;
  readonly clientMessageId?: string | undefined;
  /** Change of the number of members. */
  readonly members: number;
  /** True if the group is closed. */
  readonly closes?: boolean | undefined;
}

/** The fields of replies and pushes that identify a system message. */
export interface SystemMessage {
  readonly messageId: MessageId;
  readonly seq: number;
  /** ISO 8601, UTC, milliseconds. */
  readonly createdAt: string;
}

/** A system message that was stored, and the username of its sender. */
export interface StoredSystemMessage extends SystemMessage {
  readonly senderName: string;
}

/** Stores the system message of a change, with what it makes of the chat, to be committed together with the change. */
export type WriteSystemMessage = (message: SystemMessageDraft) => Promise<StoredSystemMessage>;

/** Runs changes of groups in their turn among the messages: the part of `MessageWriter` that this folder needs. */
export interface GroupWriter {
  /** Runs `work` in one transaction and `committed` behind it; `groupId` is null for a group that is only made. */
  change<T>(
    origin: ConnectionId,
    groupId: ChatId | null,
    work: (transaction: Transaction, write: WriteSystemMessage) => Promise<T>,
    committed: (result: T) => void,
  ): Promise<T>;
}

/** Returns the position of a system message, without what else is known of it. */
export function systemMessageOf({ messageId, seq, createdAt }: StoredSystemMessage): SystemMessage {
  return { messageId, seq, createdAt };
}
