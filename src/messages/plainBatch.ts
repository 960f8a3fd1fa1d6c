import type { ChatId, UserId } from '../ids.ts';
import { nameOf } from '../users/names.ts';
import type { MessageDraft, StoredMessage } from './drafts.ts';
import { type Refusal, STALE } from './refusals.ts';

/** The answer of {@link writePlain}. */
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
  /** Its senders. */
  readonly pairs: Map<UserId, Pair>;
}

/** Somebody who writes in a chat. */
interface Pair {
  /** Its place among all pairs. */
  readonly place: number;
  readonly chat: Chat;
  readonly senderId: UserId;
  /** Of a dialog. */
  readonly receiverId: UserId | null;
  /** Number within the chat of the last message. */
  last: number;
}

/** A batch of plain messages, as the statement {@link writePlain} takes it and answers. */
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
        const fresh = { place: pairs.length, chat, senderId, receiverId, last: chat.messages };
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
      list(this.#pairs, ({ chat }) => chat.position),
      list(this.#pairs, ({ senderId }) => senderId),
      list(this.#pairs, ({ last }) => last),
      list(this.#pairs, ({ receiverId }) => receiverId),
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
      if (!current[at]) return STALE;
      return {
        chatId,
        messageId: ids?.[stored++] as number,
        seq: (seqs[at] as number) + (this.#numbers[index] as number),
        createdAt: createdAt[at] as string,
        senderName: nameOf({ username: names[pairs.get(senderId)?.place as number] ?? null }),
        mentions: null,
        repeated: false,
      };
    });
  }
}

/** An array of numbers as PostgreSQL reads it: made at once, where pg would look at each for what it has to escape. */
function list<T>(values: readonly T[], numberOf: (value: T) => number | null): string {
  return `{${values.map((value) => numberOf(value) ?? 'null').join(',')}}`;
}
