import type { Ask } from '../calls.ts';
import { isForOthers } from '../chatAddress.ts';
import type { ParleyError } from '../errors.ts';
import type { ChatAddress, Message } from '../protocol.ts';
import { FRESH, sendType } from '../pushes.ts';
import { randomId } from '../randomId.ts';
import type { Chat, ChatMessage, SendOptions } from './Chat.ts';
import type { Context } from './Context.ts';
import { History, type Part } from './History.ts';
import { type Observable, Store } from './Store.ts';
import type { ChatSummary } from './summary.ts';

/** Who the user is may not be known yet. */
type Unsent = Omit<ChatMessage, 'senderId' | 'senderName'>;

const PAGE = 50;
const LONG_PAGE = 100;
/** Milliseconds between two notices that one is still typing. */
const TYPING_AGAIN = 3_000;

/** The messages of one chat, current from pages and events. */
export class ChatView implements Chat {
  readonly address: ChatAddress;
  readonly summary: Store<ChatSummary | undefined>;
  readonly typing: Store<readonly string[]>;
  readonly #context: Context;
  readonly #find: () => ChatSummary | undefined;
  readonly #messages: Store<readonly ChatMessage[]>;
  #history = new History();
  readonly #unsent = new Map<string, Unsent>();
  /** The keys that stored messages had before, by messageId. */
  readonly #keys = new Map<number, string>();
  /** Names of those who type, each with what stops the wait for more. */
  readonly #typists = new Map<string, () => void>();
  /** Somebody looks at the messages. */
  #isLookedAt = false;
  /** Counts how often everything began anew: what was asked for before is of no use. */
  #round = 0;
  #reading: Promise<void> | undefined;
  #typedAt = 0;
  hasOlder: boolean;

  constructor(context: Context, address: ChatAddress, find: () => ChatSummary | undefined) {
    this.#context = context;
    this.address = address;
    this.hasOlder = true;
    this.#find = find;
    this.summary = new Store(find);
    this.#messages = new Store<readonly ChatMessage[]>(() => this.#list());
    this.typing = new Store<readonly string[]>(() => [...this.#typists.keys()]);
  }

  get messages(): Observable<readonly ChatMessage[]> {
    this.#look();
    return this.#messages;
  }

  /** The list has changed. */
  refresh(): void {
    const before = this.summary.value;
    this.summary.changed();
    if (this.summary.value !== before) this.#messages.changed();
  }

  /** Reads everything anew that was read: this user may see something else now. */
  beginAgain(): void {
    if (this.#isLookedAt) this.#begin();
  }

  /** There is nothing to see any more. */
  end(): void {
    this.#round++;
    this.#reading = undefined;
    this.#history = new History();
    this.hasOlder = false;
    this.#messages.changed();
  }

  /** A message that is new, or one as it is now; what lies before the messages that were read is let go. */
  put(message: Message): void {
    this.#stopped(message.senderName);
    if (!this.#isLookedAt) return;
    if (this.#history.put(message, this.#reading !== undefined)) this.#messages.changed();
    else this.#begin();
  }

  /** Changes a part of a message that is there, is being read or will come; what is known to be newer stays. */
  change(part: Part): void {
    const { first, newest } = this.#history;
    if (!this.#isLookedAt || (!this.#reading && part.seq < first && part.seq <= newest)) return;
    this.#history.change(part);
    this.#messages.changed();
  }

  /** The server has so many messages: with fewer than there are here, it was set back to an earlier moment. */
  reaches(seq: number): void {
    if (seq < this.#history.newest) this.#begin();
  }

  /** Shows the names that people have now, this user among them. */
  renamed(): void {
    this.#history.map((message) => this.#context.names.in(message));
    this.#messages.changed();
  }

  typed({
    senderName,
    typing,
    expiresInSeconds,
  }: {
    readonly senderName: string;
    readonly typing: boolean;
    readonly expiresInSeconds: number;
  }): void {
    this.#stopped(senderName);
    const stop = () => this.#stopped(senderName);
    if (typing) this.#typists.set(senderName, this.#context.timers.start(stop, expiresInSeconds * 1000));
    this.typing.changed();
  }

  async loadOlder(seq?: number): Promise<void> {
    this.#look();
    do {
      this.#reading ??= this.#readOlder(seq === undefined ? PAGE : LONG_PAGE, this.#context.ask);
      await this.#reading;
    } while (seq !== undefined && this.hasOlder && this.#history.first > seq);
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
    const params = { ...this.address, content, clientMessageId: key, ...options };
    try {
      await this.#context.client.call(sendType(this.address), params);
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
      await this.#context.client.call('markRead', { ...this.address, seq });
  }

  setTyping(typing: boolean): void {
    const now = Date.now();
    const due = typing ? now - this.#typedAt > TYPING_AGAIN : this.#typedAt > 0;
    if (!due || this.#context.client.state !== 'online') return;
    this.#typedAt = typing ? now : 0;
    this.#context.client.call('typing', { ...this.address, typing }).catch(() => {}); // nobody misses it
  }

  #look(): void {
    if (this.#isLookedAt) return;
    this.#isLookedAt = true;
    this.#begin();
  }

  /** Tries until the messages are there, unless there are none for this user. */
  #begin(): void {
    this.end();
    this.hasOlder = true;
    this.#reading = this.#readOlder(PAGE, this.#context.insist);
    this.#reading.catch(() => {}); // closed, or not for this user
  }

  async #readOlder(limit: number, ask: Ask): Promise<void> {
    const round = this.#round;
    const { first, newest } = this.#history;
    const params = { ...this.address, ...(newest && { beforeSeq: first }), limit };
    try {
      await ask('getMessages', params, ({ data, more }) => {
        if (round !== this.#round) return;
        this.#reading = undefined;
        this.#history.add(data.map((message) => this.#context.names.in(message)));
        this.hasOlder = more;
        this.#messages.changed();
      });
    } catch (error) {
      if (round === this.#round) {
        this.#reading = undefined;
        if (isForOthers(error as ParleyError)) this.hasOlder = false;
      }
      throw error;
    }
  }

  #list(): ChatMessage[] {
    const { otherReadSeq = 0, otherDeliveredSeq = 0 } = this.#find() ?? {};
    const { userId: senderId = 0, username: senderName = '' } = this.#context.client.self ?? {};
    const isDialog = this.address.groupId === undefined;
    return [
      ...this.#history.list().map((message): ChatMessage => {
        const { messageId, seq } = message;
        const isOwn = message.senderId === senderId;
        const reached = seq <= otherReadSeq ? 'read' : seq <= otherDeliveredSeq ? 'delivered' : 'sent';
        const status = isOwn && isDialog ? reached : 'sent';
        const key = this.#keys.get(messageId) ?? `${messageId}`;
        return { ...message, key, isOwn, status, error: undefined };
      }),
      ...[...this.#unsent.values()].map((message) => ({ ...message, senderId, senderName })),
    ];
  }

  #stopped(name: string): void {
    this.#typists.get(name)?.();
    if (this.#typists.delete(name)) this.typing.changed();
  }
}
