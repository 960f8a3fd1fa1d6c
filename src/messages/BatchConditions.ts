import type { ChatId } from '../ids.ts';
import { pairOf } from '../users/pairs.ts';
import type { MessageDraft } from './drafts.ts';

/** A chat, or the two people of a dialog that is not known yet. */
export type ChatKey = ChatId | string;

/** Returns the key of a dialog that is not known yet. */
export function unknownDialog({ senderId, to }: MessageDraft): ChatKey {
  const { low, high } = pairOf(senderId, 'receiverId' in to ? to.receiverId : senderId);
  return `${low}:${high}`;
}

/**
 * Admits messages to a batch so that all messages of a chat have the same `ifSeq`, or none. So at most the first one of
 * a chat with `ifSeq` is stored, and whether it is depends on no other message of the batch.
 */
export class BatchConditions {
  readonly #keyOf: (draft: MessageDraft) => ChatKey;
  /** The `ifSeq` in each chat of the batch; undefined until a message has one, because most batches have none. */
  #ofChats: Map<ChatKey, number | undefined> | undefined;

  constructor(keyOf: (draft: MessageDraft) => ChatKey) {
    this.#keyOf = keyOf;
  }

  /** Returns true if a message may be added to those that are in the batch, and expects that it is. */
  admits(draft: MessageDraft, chat: ChatKey, batch: readonly { readonly draft: MessageDraft }[]): boolean {
    const ifSeq = draft.extras?.ifSeq;
    if (ifSeq !== undefined)
      this.#ofChats ??= new Map(batch.map((one) => [this.#keyOf(one.draft), undefined]));
    if (!this.#ofChats) return true;
    if (this.#ofChats.has(chat) && this.#ofChats.get(chat) !== ifSeq) return false;
    this.#ofChats.set(chat, ifSeq);
    return true;
  }
}
