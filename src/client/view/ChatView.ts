import type { SendRequest } from '../calls.ts';
import { isNotMember } from '../chatAddress.ts';
import type { SendOptions } from '../commands.ts';
import type { ParleyError } from '../errors.ts';
import type { ChatAddress, Message, Push } from '../protocol.ts';
import { FRESH, sendType } from '../pushes.ts';
import { randomId } from '../randomId.ts';
import type { Chat, ChatMessage } from './Chat.ts';
import type { Context } from './Context.ts';
import { History, type Part } from './History.ts';
import { type Observable, Store } from './Store.ts';
import type { ChatSummary } from './summary.ts';

/** A message that is not stored yet. Its sender is this user, who may not be known before the client is online. */
type Unsent = Omit<ChatMessage, 'senderId' | 'senderName'>;

type TypingState = Pick<Push<'typing'>['params'], 'senderName' | 'typing' | 'expiresInSeconds'>;

/** Messages per request, and per request of those back to a `seq`. */
const PAGE = 50;
const LONG_PAGE = 100;
/** Milliseconds before the command `typing` is sent again. */
const TYPING_AGAIN = 3_000;

/** Keeps the messages of one chat current. */
export class ChatView implements Chat {
  readonly address: ChatAddress;
  readonly summary: Store<ChatSummary | undefined>;
  readonly typing: Store<readonly string[]>;
  readonly #context: Context;
  readonly #find: () => ChatSummary | undefined;
  readonly #messages: Store<readonly ChatMessage[]>;
  #history = new History();
  readonly #unsent = new Map<string, Unsent>();
  /** By `messageId`: the keys of messages from before they were stored. */
  readonly #keys = new Map<number, string>();
  /** By username: the users who are typing, each with the function that cancels the timer. */
  readonly #typists = new Map<string, () => void>();
  /** True since the first access to the messages. */
  #isUsed = false;
  /** The number of times that the history was started over. Replies to requests of an earlier round are dropped. */
  #round = 0;
  #reading: Promise<void> | undefined;
  #typedAt = 0;
  hasOlder = true;

  constructor(context: Context, address: ChatAddress, find: () => ChatSummary | undefined) {
    this.#context = context;
    this.address = address;
    this.#find = find;
    this.summary = new Store(find);
    this.#messages = new Store<readonly ChatMessage[]>(() => this.#list());
    this.typing = new Store<readonly string[]>(() => [...this.#typists.keys()]);
  }

  get messages(): Observable<readonly ChatMessage[]> {
    this.#startReading();
    return this.#messages;
  }

  /** Updates the summary, after a change of the list. */
  refresh(): void {
    const before = this.summary.value;
    this.summary.changed();
    if (this.summary.value !== before) this.#messages.changed();
  }

  /** Reads the messages again if they were read before, because this user may see other messages now. */
  restart(): void {
    if (this.#isUsed) this.#start();
  }

  /** Drops all messages. */
  end(): void {
    this.#round++;
    this.#reading = undefined;
    this.#history = new History();
    this.hasOlder = false;
    this.#messages.changed();
  }

  /** Takes a new message, or the present state of one. Ignores those before the first message that was read. */
  put(message: Message): void {
    this.#stopTyping(message.senderName);
    if (!this.#isUsed) return;
    if (this.#history.put(message, this.#reading !== undefined)) this.#messages.changed();
    else this.#start();
  }

  /** Changes a part of a message that was read, is being read or will arrive. A newer state is kept. */
  change(part: Part): void {
    const { first, newest } = this.#history;
    if (!this.#isUsed || (!this.#reading && part.seq < first && part.seq <= newest)) return;
    this.#history.change(part);
    this.#messages.changed();
  }

  /** Starts over if the last `seq` of the server is lower than that of the chat: the server was restored from a backup. */
  truncate(seq: number): void {
    if (seq < this.#history.newest) this.#start();
  }

  /** Applies the present names of the users, this one included. */
  renamed(): void {
    this.#history.map((message) => this.#context.names.in(message));
    this.#messages.changed();
  }

  /** Applies a push of the command `typing`. */
  typed({ senderName, typing, expiresInSeconds }: TypingState): void {
    this.#stopTyping(senderName);
    const stop = () => this.#stopTyping(senderName);
    if (typing) this.#typists.set(senderName, this.#context.timers.start(stop, expiresInSeconds * 1000));
    this.typing.changed();
  }

  readonly loadOlder = async (seq?: number): Promise<void> => {
    this.#startReading();
    do {
      this.#reading ??= this.#readOlder(seq === undefined ? PAGE : LONG_PAGE, this.#context.request);
      await this.#reading;
    } while (seq !== undefined && this.hasOlder && this.#history.first > seq);
  };

  readonly send = async (content: string, options: SendOptions = {}): Promise<void> => {
    const key = randomId();
    const { ifSeq: _, ...shown } = options;
    const message: Unsent = {
      ...FRESH,
      ...shown,
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
  };

  /** Removes a message that was being sent: the server has stored it, and the event `sent` has it in its place. */
  stored(key: string, messageId: number): void {
    if (!this.#unsent.delete(key)) return;
    this.#keys.set(messageId, key);
    this.#messages.changed();
  }

  readonly discard = (key: string): void => {
    if (this.#unsent.get(key)?.status === 'failed' && this.#unsent.delete(key)) this.#messages.changed();
  };

  readonly markRead = async (): Promise<void> => {
    const chat = this.#find();
    if (!chat) return;
    const { seq } = chat.lastMessage;
    if (chat.readSeq < seq || chat.unreadCount > 0 || chat.markedUnread)
      await this.#context.client.call('markRead', { ...this.address, seq });
  };

  readonly setTyping = (typing: boolean): void => {
    const now = Date.now();
    const due = typing ? now - this.#typedAt > TYPING_AGAIN : this.#typedAt > 0;
    if (!due || this.#context.client.state !== 'online') return;
    this.#typedAt = typing ? now : 0;
    this.#context.client.call('typing', { ...this.address, typing }).catch(() => {}); // it would be outdated if it were sent again
  };

  #startReading(): void {
    if (this.#isUsed) return;
    this.#isUsed = true;
    this.#start();
  }

  /** Starts the history over. Reads the newest messages, and tries again until that succeeds or is refused for good. */
  #start(): void {
    this.end();
    this.hasOlder = true;
    this.#reading = this.#readOlder(PAGE, this.#context.retry);
    this.#reading.catch(() => {}); // closed, or refused for good
  }

  async #readOlder(limit: number, request: SendRequest): Promise<void> {
    const round = this.#round;
    const { first, newest } = this.#history;
    const params = { ...this.address, ...(newest && { beforeSeq: first }), limit };
    try {
      await request('getMessages', params, ({ data, more }) => {
        if (round !== this.#round) return;
        this.#reading = undefined;
        this.#history.add(data.map((message) => this.#context.names.in(message)));
        this.hasOlder = more;
        this.#messages.changed();
      });
    } catch (error) {
      if (round === this.#round) {
        this.#reading = undefined;
        if (isNotMember(error as ParleyError)) {
          this.hasOlder = false;
          this.#messages.changed();
        }
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

  #stopTyping(name: string): void {
    this.#typists.get(name)?.();
    if (this.#typists.delete(name)) this.typing.changed();
  }
}
