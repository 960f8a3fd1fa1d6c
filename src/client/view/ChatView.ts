import type { Client } from '../Client.ts';
import type { ParleyError } from '../errors.ts';
import { FRESH } from '../places.ts';
import type { ChatAddress, Message, Params } from '../protocol.ts';
import { randomId } from '../randomId.ts';
import type { ChatSummary } from './ChatList.ts';
import type { Fields } from './effects.ts';
import { type Observable, Store } from './Store.ts';

/** A message as a conversation shows it. One that is not stored yet has neither `messageId` nor `seq`: both are 0. */
export interface ChatMessage extends Message {
  /** Stays the same when a message that was sent is stored. */
  readonly key: string;
  /** True if this user wrote it. */
  readonly isOwn: boolean;
  /** Of one's own: how far it has come; `delivered` and `read` in dialogs only. Of others: `sent`. */
  readonly status: 'sending' | 'failed' | 'sent' | 'delivered' | 'read';
  /** Why it failed. */
  readonly error: ParleyError | undefined;
}

/** Who the user is may not be known yet. */
type Unsent = Omit<ChatMessage, 'senderId' | 'senderName'>;

export type SendOptions = Pick<Params<'privateMessage'>, 'replyTo' | 'silent' | 'custom'>;

/** A chat that is looked at. */
export interface Chat {
  readonly address: ChatAddress;
  /** As the list has it; undefined while nothing was ever written. */
  readonly summary: Observable<ChatSummary | undefined>;
  /** A run of messages up to the newest, without a hole, then those that are being sent. Read on the first look. */
  readonly messages: Observable<readonly ChatMessage[]>;
  /** Usernames of those who are typing. */
  readonly typing: Observable<readonly string[]>;
  /** True if there is more before the first message. */
  readonly hasOlder: boolean;
  /** Reads older messages, or back to `seq`. */
  loadOlder(seq?: number): Promise<void>;
  /** Shows a message at once and sends it; rejects when it is refused, and it stays as `failed`. */
  send(content: string, options?: SendOptions): Promise<void>;
  /** Takes a message that failed away. */
  discard(key: string): void;
  /** Marks everything as read. */
  markRead(): Promise<void>;
  /** To be called with each keystroke, and with false when the writing is over or given up. */
  setTyping(typing: boolean): void;
}

/** The part that all others end with. */
export const DELETED = 'deleted';

const PAGE = 50;
const LONG_PAGE = 100;
/** Milliseconds between two notices that one is still typing. */
const TYPING_AGAIN = 3_000;

/** A part of a message, and how it is since the message had that version. */
interface Change {
  readonly version: number;
  readonly apply: (message: Message) => Partial<Message>;
}

/** The messages of one chat, current from pages and events. */
export class ChatView implements Chat {
  readonly address: ChatAddress;
  readonly summary: Store<ChatSummary | undefined>;
  readonly typing: Store<readonly string[]>;
  readonly #client: Client;
  readonly #find: () => ChatSummary | undefined;
  readonly #messages: Store<readonly ChatMessage[]>;
  /** Somebody looks at the messages. */
  #isLookedAt = false;
  /** By seq, in no order, as they were read. */
  readonly #stored = new Map<number, Message>();
  /**
   * What happened to messages, by messageId and part: it holds against what was read before it happened, whichever
   * comes first.
   */
  readonly #changes = new Map<number, Map<string, Change>>();
  readonly #unsent = new Map<string, Unsent>();
  /** The keys that stored messages had before, by messageId. */
  readonly #keys = new Map<number, string>();
  readonly #typists = new Map<string, ReturnType<typeof setTimeout>>();
  #first = Number.POSITIVE_INFINITY;
  #newest = 0;
  #reading: Promise<void> | undefined;
  /** What came before the first page. */
  #early: Message[] = [];
  #typedAt = 0;
  #userId: number | undefined;
  hasOlder = true;

  constructor(client: Client, address: ChatAddress, find: () => ChatSummary | undefined) {
    this.#client = client;
    this.address = address;
    this.#find = find;
    this.summary = new Store(find);
    this.#messages = new Store<readonly ChatMessage[]>(() => this.#list());
    this.typing = new Store<readonly string[]>(() => [...this.#typists.keys()]);
  }

  get messages(): Observable<readonly ChatMessage[]> {
    if (!this.#isLookedAt) {
      this.#isLookedAt = true;
      this.loadOlder().catch(() => {});
    }
    return this.#messages;
  }

  /** The list has changed, or it is known now who the user is. */
  refresh(): void {
    const before = this.summary.value;
    this.summary.changed();
    const userId = this.#client.self?.userId;
    if (this.summary.value !== before || userId !== this.#userId) this.#messages.changed();
    this.#userId = userId;
  }

  /** A message that is new, or one as it is now; what lies before the messages that were read is let go. */
  put(message: Message): void {
    const { seq, senderName } = message;
    this.#stopped(senderName);
    if (!this.#isLookedAt) return;
    if (this.#newest === 0 && this.#reading) this.#early.push(message);
    else if (seq === this.#newest + 1 || this.#newest === 0 || this.#stored.has(seq)) this.#keep([message]);
    else if (seq > this.#newest) this.#startAnew();
  }

  /** Changes a part of a message that is there, or is being read; what is known to be newer stays. */
  patch({ messageId, version }: Fields, part: string, apply: Change['apply']): void {
    if (!this.#reading && !this.#has(messageId)) return;
    const parts = this.#changes.get(messageId) ?? new Map<string, Change>();
    if (parts.has(DELETED) || (parts.get(part)?.version ?? 0) > version) return;
    if (part === DELETED) parts.clear();
    this.#changes.set(messageId, parts.set(part, { version, apply }));
    this.#messages.changed();
  }

  typed({
    senderName,
    typing,
    expiresInSeconds,
  }: Pick<Fields, 'senderName' | 'typing' | 'expiresInSeconds'>): void {
    this.#stopped(senderName);
    if (typing)
      this.#typists.set(
        senderName,
        setTimeout(() => this.#stopped(senderName), expiresInSeconds * 1000),
      );
    this.typing.changed();
  }

  async loadOlder(seq?: number): Promise<void> {
    do {
      this.#reading ??= this.#readOlder(seq === undefined ? PAGE : LONG_PAGE);
      await this.#reading;
    } while (seq !== undefined && this.hasOlder && this.#first > seq);
  }

  async send(content: string, options: SendOptions = {}): Promise<void> {
    const key = randomId();
    const message: Unsent = {
      ...FRESH,
      ...options,
      ...this.address,
      ...{ key, content, messageId: 0, seq: 0, kind: 'text', createdAt: new Date().toISOString() },
      ...{ isOwn: true, status: 'sending', error: undefined },
    };
    this.#unsent.set(key, message);
    this.#messages.changed();
    this.#typedAt = 0;
    const { receiverId, groupId } = this.address;
    const params = { content, clientMessageId: key, ...options };
    try {
      if (groupId === undefined) await this.#client.call('privateMessage', { receiverId, ...params });
      else await this.#client.call('messageInGroup', { groupId, ...params });
    } catch (error) {
      this.#unsent.set(key, { ...message, status: 'failed', error: error as ParleyError });
      this.#messages.changed();
      throw error;
    }
  }

  /** A message that was being sent has its place, and comes there at once. */
  stored(key: string, messageId: number): void {
    if (!this.#unsent.delete(key)) return;
    this.#keys.set(messageId, key);
    this.#messages.changed();
  }

  discard(key: string): void {
    if (this.#unsent.get(key)?.status === 'failed' && this.#unsent.delete(key)) this.#messages.changed();
  }

  async markRead(): Promise<void> {
    const chat = this.#find();
    if (!chat) return;
    const { seq } = chat.lastMessage;
    if (chat.readSeq < seq || chat.unreadCount > 0 || chat.markedUnread)
      await this.#client.call('markRead', { ...this.address, seq });
  }

  setTyping(typing: boolean): void {
    const now = Date.now();
    const due = typing ? now - this.#typedAt > TYPING_AGAIN : this.#typedAt > 0;
    if (!due || this.#client.state !== 'online') return;
    this.#typedAt = typing ? now : 0;
    this.#client.call('typing', { ...this.address, typing }).catch(() => {}); // nobody misses it
  }

  async #readOlder(limit: number): Promise<void> {
    try {
      const before = Number.isFinite(this.#first) ? { beforeSeq: this.#first } : {};
      const { data, more } = await this.#client.call('getMessages', { ...this.address, ...before, limit });
      this.#keep(data);
      this.hasOlder = more;
    } catch (error) {
      this.hasOlder = false;
      throw error;
    } finally {
      this.#reading = undefined;
      for (const message of this.#early.splice(0)) this.put(message);
      for (const messageId of this.#changes.keys())
        if (!this.#has(messageId)) this.#changes.delete(messageId);
    }
  }

  #has(messageId: number): boolean {
    for (const message of this.#stored.values()) if (message.messageId === messageId) return true;
    return false;
  }

  /** A message that was read, with what happened since. */
  #current(message: Message): Message {
    let current = message;
    for (const { version, apply } of this.#changes.get(message.messageId)?.values() ?? [])
      if (version > message.version)
        current = { ...current, ...apply(current), version: Math.max(version, current.version) };
    return current;
  }

  #keep(messages: readonly Message[]): void {
    for (const message of messages) {
      if (message.version >= (this.#stored.get(message.seq)?.version ?? 0))
        this.#stored.set(message.seq, message);
      this.#first = Math.min(this.#first, message.seq);
      this.#newest = Math.max(this.#newest, message.seq);
    }
    this.#messages.changed();
  }

  /** There is a hole that this user cannot see into: back in a group, the history began anew. */
  #startAnew(): void {
    this.#stored.clear();
    this.#first = Number.POSITIVE_INFINITY;
    this.#newest = 0;
    this.hasOlder = true;
    this.loadOlder().catch(() => {});
  }

  #list(): ChatMessage[] {
    const { otherReadSeq = 0, otherDeliveredSeq = 0 } = this.#find() ?? {};
    const { userId: senderId = 0, username: senderName = '' } = this.#client.self ?? {};
    const stored = [...this.#stored.values()].sort((one, other) => one.seq - other.seq);
    const isDialog = this.address.groupId === undefined;
    return [
      ...stored.map((read): ChatMessage => {
        const message = this.#current(read);
        const { messageId, seq } = message;
        const isOwn = message.senderId === senderId;
        const reached = seq <= otherReadSeq ? 'read' : seq <= otherDeliveredSeq ? 'delivered' : 'sent';
        const status = isOwn && isDialog ? reached : 'sent';
        return {
          ...message,
          key: this.#keys.get(messageId) ?? `${messageId}`,
          isOwn,
          status,
          error: undefined,
        };
      }),
      ...[...this.#unsent.values()].map((message) => ({ ...message, senderId, senderName })),
    ];
  }

  #stopped(name: string): void {
    clearTimeout(this.#typists.get(name));
    if (this.#typists.delete(name)) this.typing.changed();
  }
}
