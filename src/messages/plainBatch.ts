import type { ChatId, UserId } from '../ids.ts';
import { nameOf } from '../users/names.ts';
import type { MessageDraft, StoredMessage } from './drafts.ts';
import type { Refusal } from './refusals.ts';

/** What {@link writePlain} answers. */
export interface PlainAnswer {
  /** Of each chat, its newest `seq` before the batch, whether its messages were stored, and when. */
  readonly seqs: readonly number[];
  readonly current: readonly boolean[];
  readonly times: readonly string[];
  /** Of the messages that were stored, in order of arrival; null for none. */
  readonly ids: readonly number[] | null;
  /** Of each pair of a chat and a sender; null once the account is deleted. */
  readonly names: readonly (string | null)[];
}

interface Chat {
  readonly id: ChatId;
  /** Place in the order of ids, from 1. */
  position: number;
  messages: number;
  /** Place of its last message in the batch. */
  rank: number;
  /** Places of its senders among all pairs. */
  readonly pairs: Map<UserId, number>;
}

/** A batch of plain messages, as the statement {@link writePlain} takes it and answers. */
export class PlainBatch {
  readonly #drafts: readonly MessageDraft[];
  readonly #chats: readonly Chat[];
  readonly #chatOf: readonly Chat[];
  readonly #numbers: readonly number[];
  readonly #pairs: readonly (readonly [chat: Chat, sender: UserId, last: number])[];

  constructor(drafts: readonly MessageDraft[], chatIds: readonly ChatId[]) {
    const chats = new Map<ChatId, Chat>();
    const pairs: [Chat, UserId, number][] = [];
    const numbers: number[] = [];
    const chatOf: Chat[] = [];
    for (const [index, { senderId }] of drafts.entries()) {
      const id = chatIds[index] as ChatId;
      const chat = chats.get(id) ?? {
        id,
        position: 0,
        messages: 0,
        rank: 0,
        pairs: new Map<UserId, number>(),
      };
      if (chat.messages === 0) chats.set(id, chat);
      chat.messages++;
      chat.rank = index + 1;
      const place = chat.pairs.get(senderId);
      if (place === undefined) chat.pairs.set(senderId, pairs.push([chat, senderId, chat.messages]) - 1);
      else (pairs[place] as [Chat, UserId, number])[2] = chat.messages;
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

  /** The parameters, with the version of the rules of each chat, which was read in that `run` of the database. */
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
      list(this.#pairs, ([{ position }]) => position),
      list(this.#pairs, ([, sender]) => sender),
      list(this.#pairs, ([, , last]) => last),
      run,
    ];
  }

  /** The messages as they were stored; `STALE` for those of a chat whose rules are others by now. */
  results({ seqs, current, times, ids, names }: PlainAnswer): (StoredMessage | Refusal)[] {
    const createdAt = times.map((time) => new Date(time).toISOString());
    let stored = 0;
    return this.#drafts.map(({ senderId }, index) => {
      const { id: chatId, position, pairs } = this.#chatOf[index] as Chat;
      const at = position - 1;
      if (!current[at]) return 'STALE';
      return {
        chatId,
        messageId: ids?.[stored++] as number,
        seq: (seqs[at] as number) + (this.#numbers[index] as number),
        createdAt: createdAt[at] as string,
        senderName: nameOf({ username: names[pairs.get(senderId) as number] ?? null }),
        mentions: null,
        repeated: false,
      };
    });
  }
}

/** An array of numbers as PostgreSQL reads it: made at once, where pg would look at each for what it has to escape. */
function list<T>(values: readonly T[], numberOf: (value: T) => number): string {
  return `{${values.map(numberOf).join(',')}}`;
}
