import type { ChatId, UserId } from '../ids.ts';
import { lruCache } from '../lruCache.ts';
import type { MessageDraft } from './drafts.ts';

/** Cached chats, about 200 bytes each, and 30 for each sender. */
const MAX_CHATS = 100_000;
/** Cached senders per chat. */
const MAX_SENDERS = 1_000;

/**
 * The origin of a permit: the run of the database, which changes with a failover or a restore, and
 * `chats.rules_version`.
 */
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
 * Caches which users may write in a chat under which version of its rules. A permit alone is not sufficient: the
 * statement that stores a message compares the version under the lock of the chat.
 */
export class Permits {
  readonly #chats = lruCache<ChatId, ChatPermits>(MAX_CHATS);
  #run = '';

  /** Returns the run of the database in which all permits were found. */
  get run(): string {
    return this.#run;
  }

  /** Returns true if the sender of a message is known to be allowed to write in a chat of its kind. */
  has(chatId: ChatId, { senderId, to }: Pick<MessageDraft, 'senderId' | 'to'>): boolean {
    const chat = this.#chats.get(chatId);
    return chat !== undefined && chat.isGroup === 'groupId' in to && chat.senders.has(senderId);
  }

  /** Returns the version of the rules of a chat under which its permits were found. */
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

  delete(chatId: ChatId): void {
    this.#chats.delete(chatId);
  }
}
