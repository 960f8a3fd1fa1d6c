import type { ChatRecord, ReadPush } from '../../src/bus/chatRecord.ts';
import type { ChatId } from '../../src/ids.ts';

/** The messages of chats as a database would have them. */
export class MemoryRecord implements ChatRecord {
  readonly #chats = new Map<ChatId, ReadPush[]>();
  /** Reads that fail from now on. */
  failures = 0;
  /** Reads wait for it. */
  reading: Promise<void> = Promise.resolve();
  /** Reads of messages so far, those that failed included. */
  reads = 0;
  /** `seq` that was visible to a snapshot; undefined: too far back. */
  visible: number | undefined = 0;

  /** Commits a message; returns it with its position. */
  store(chatId: ChatId, message: ReadPush) {
    const chat = this.#chats.get(chatId) ?? [];
    chat.push(message);
    chat.sort((one, other) => one.seq - other.seq);
    this.#chats.set(chatId, chat);
    const { seq, ...push } = message;
    return { ...push, position: { chatId, seq } };
  }

  async read(chatId: ChatId, from: number, to: number): Promise<readonly ReadPush[]> {
    this.reads++;
    await this.#answer();
    return (this.#chats.get(chatId) ?? []).filter(({ seq }) => seq >= from && seq <= to);
  }

  async head(chatId: ChatId): Promise<number> {
    await this.#answer();
    return this.#chats.get(chatId)?.at(-1)?.seq ?? 0;
  }

  async headAt(): Promise<number | undefined> {
    await this.#answer();
    return this.visible;
  }

  async #answer(): Promise<void> {
    await this.reading;
    if (this.failures === 0) return;
    this.failures--;
    throw new Error('the database is away');
  }
}
