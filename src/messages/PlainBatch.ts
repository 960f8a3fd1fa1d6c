import type { ChatId, MessageId, UserId } from '../ids.ts';
import { nameOf } from '../users/names.ts';
import type { MessageDraft, StoredMessage } from './drafts.ts';
import { type Refusal, STALE } from './refusals.ts';

/** The result of {@link writePlain}. */
export interface PlainAnswer {
  /** For each chat, its newest `seq` before the batch, whether its messages were stored, and the time. */
  readonly seqs: readonly number[];
  readonly current: readonly boolean[];
  readonly times: readonly string[];
  /** The ids of the stored messages in order of arrival; null for none. */
  readonly ids: readonly MessageId[] | null;
  /** The username for each pair of a chat and a sender; null for deleted accounts. */
  readonly names: readonly (string | null)[];
}

interface Chat {
  readonly id: ChatId;
  /** Index in the order of ids, from 1. */
  position: number;
  messages: number;
  /** Number of its last message in the batch. */
  rank: number;
  /** Its senders. */
  readonly pairs: Map<UserId, Pair>;
}

/** A sender in a chat. */
interface Pair {
  /** Its index among all pairs. */
  readonly index: number;
  readonly chat: Chat;
  readonly senderId: UserId;
  /** Null in a group. */
  readonly receiverId: UserId | null;
  /** Number of the last message within the chat. */
  last: number;
}

/** Converts a batch of plain messages to the parameters of {@link writePlain}, and its result to messages. */
export class PlainBatch {
  readonly #drafts: readonly MessageDraft[];
  readonly #chats: readonly Chat[];
  readonly #chatOf: readonly Chat[];
  readonly #numbers: readonly number[];
  readonly #pairs: readonly Pair[];

  constructor(drafts: readonly MessageDraft[], chatIds: readonly ChatId[]) {
    const chats = new Map<ChatId, Chat>();
    const pairs: Pair[] = [];
    const numbers: number[] = [];
    const chatOf: Chat[] = [];
    for (const [index, { senderId, to }] of drafts.entries()) {
      const id = chatIds[index] as ChatId;
      const chat = chats.get(id) ?? {
        id,
        position: 0,
        messages: 0,
        rank: 0,
        pairs: new Map<UserId, Pair>(),
      };
      if (chat.messages === 0) chats.set(id, chat);
      chat.messages++;
      chat.rank = index + 1;
      const pair = chat.pairs.get(senderId);
      if (pair) pair.last = chat.messages;
      else {
        const receiverId = 'receiverId' in to ? to.receiverId : null;
        const fresh = { index: pairs.length, chat, senderId, receiverId, last: chat.messages };
        chat.pairs.set(senderId, fresh);
        pairs.push(fresh);
      }
      chatOf.push(chat);
      numbers.push(chat.messages);
    }
    this.#chats = [...chats.values()].sort((one, other) => one.id - other.id);
    for (const [index, chat] of this.#chats.entries()) chat.position = index + 1;
    this.#drafts = drafts;
    this.#chatOf = chatOf;
    this.#numbers = numbers;
    this.#pairs = pairs;
  }

  /** Returns the parameters with the version of the rules of each chat, which was read in `run` of the database. */
  parameters(versionOf: (chatId: ChatId) => number | undefined, run: string): unknown[] {
    return [
      list(this.#chats, ({ id }) => id),
      list(this.#chats, ({ id }) => versionOf(id) ?? -1),
      list(this.#chats, ({ messages }) => messages),
      list(this.#chats, ({ rank }) => rank),
      list(this.#chatOf, ({ position }) => position),
      list(this.#numbers, (number) => number),
      list(this.#drafts, ({ senderId }) => senderId),
      this.#drafts.map(({ content }) => content),
      this.#drafts.map(({ clientMessageId }) => clientMessageId ?? null),
      list(this.#pairs, ({ chat }) => chat.position),
      list(this.#pairs, ({ senderId }) => senderId),
      list(this.#pairs, ({ last }) => last),
      list(this.#pairs, ({ receiverId }) => receiverId),
      run,
    ];
  }

  /** Returns the stored messages; `STALE` for those of chats whose rules have changed. */
  results({ seqs, current, times, ids, names }: PlainAnswer): (StoredMessage | Refusal)[] {
    const createdAt = times.map((time) => new Date(time).toISOString());
    let stored = 0;
    return this.#drafts.map(({ senderId }, index) => {
      const { id: chatId, position, pairs } = this.#chatOf[index] as Chat;
      const at = position - 1;
      if (!current[at]) return STALE;
      return {
        chatId,
        messageId: ids?.[stored++] as MessageId,
        seq: (seqs[at] as number) + (this.#numbers[index] as number),
        createdAt: createdAt[at] as string,
        senderName: nameOf({ username: names[pairs.get(senderId)?.index as number] ?? null }),
        mentions: null,
        repeated: false,
      };
    });
  }
}

/**
 * Returns an array of numbers as text for PostgreSQL. This is faster than the encoding of pg, which checks each value
 * for characters to escape.
 */
function list<T>(values: readonly T[], numberOf: (value: T) => number | null): string {
  return `{${values.map((value) => numberOf(value) ?? 'null').join(',')}}`;
}
