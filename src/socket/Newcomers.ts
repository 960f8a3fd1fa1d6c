import type { ChatId } from '../ids.ts';
import type { Connection } from './Connection.ts';

const NOBODY: readonly Connection[] = [];

interface GroupNewcomers {
  readonly all: Set<Connection>;
  /** The newest `seq` that any of them begins with. */
  lastFirstSeq: number;
}

/** Connections whose users may not see all messages of a group: those who joined where the history is hidden. */
export class Newcomers {
  readonly #byChat = new Map<ChatId, GroupNewcomers>();

  add(connection: Connection, chatId: ChatId, firstSeq: number): void {
    const newcomers = this.#byChat.get(chatId) ?? { all: new Set(), lastFirstSeq: 0 };
    newcomers.all.add(connection);
    newcomers.lastFirstSeq = Math.max(newcomers.lastFirstSeq, firstSeq);
    this.#byChat.set(chatId, newcomers);
  }

  delete(connection: Connection, chatId: ChatId): void {
    const newcomers = this.#byChat.get(chatId);
    if (newcomers?.all.delete(connection) && newcomers.all.size === 0) this.#byChat.delete(chatId);
  }

  /** Returns the connections that may not see the message of a group at `seq`. */
  excludedFrom(chatId: ChatId, seq: number): readonly Connection[] {
    const newcomers = this.#byChat.get(chatId);
    // Most changes are of messages that everybody may see: then no connection is looked at.
    if (!newcomers || newcomers.lastFirstSeq <= seq) return NOBODY;
    return [...newcomers.all].filter(({ groups }) => (groups.get(chatId) ?? 1) > seq);
  }
}
