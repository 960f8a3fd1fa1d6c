import { LRUCache } from 'lru-cache';
import type { ChatId, UserId } from '../ids.ts';
import type { MessageDraft } from './drafts.ts';

/** Chats remembered: about 200 bytes each, and 30 for each of their members who wrote. */
const MAX_CHATS = 100_000;
/** Members remembered of one chat. */
const MAX_SENDERS = 1_000;

/** Where a permit was found: the run of the database, which a failover or a restore changes, and `chats.rules_version`. */
export interface PermitOrigin {
  readonly run: string;
  readonly rulesVersion: number;
}

interface ChatPermits {
  readonly isGroup: boolean;
  readonly rulesVersion: number;
  readonly senders: Set<UserId>;
}

/**
 * Remembers who was found to be allowed to write in a chat, by which version of its rules. It is no permission by
 * itself: the statement that stores a message compares the version under the lock of the chat.
 */
export class Permits {
  readonly #chats = new LRUCache<ChatId, ChatPermits>({ max: MAX_CHATS });
  #run = '';

  /** The run of the database that all of them are of. */
  get run(): string {
    return this.#run;
  }

  /** True if the sender of a message is known to be allowed to write in a chat of its kind, by the version of its rules. */
  has(chatId: ChatId, { senderId, to }: Pick<MessageDraft, 'senderId' | 'to'>): boolean {
    const chat = this.#chats.get(chatId);
    return chat !== undefined && chat.isGroup === 'groupId' in to && chat.senders.has(senderId);
  }

  /** The version of the rules of a chat by which its permits were found. */
  versionOf(chatId: ChatId): number | undefined {
    return this.#chats.peek(chatId)?.rulesVersion;
  }

  keep(
    chatId: ChatId,
    { senderId, to }: Pick<MessageDraft, 'senderId' | 'to'>,
    { run, rulesVersion }: PermitOrigin,
  ): void {
    if (run !== this.#run) this.#chats.clear();
    this.#run = run;
    const known = this.#chats.get(chatId);
    if (known?.rulesVersion !== rulesVersion) {
      this.#chats.set(chatId, { isGroup: 'groupId' in to, rulesVersion, senders: new Set([senderId]) });
      return;
    }
    const { senders } = known;
    if (senders.size >= MAX_SENDERS) senders.delete(senders.values().next().value as UserId);
    senders.add(senderId);
  }

  forget(chatId: ChatId): void {
    this.#chats.delete(chatId);
  }
}
