import { addressOf, chatKey, isNotMember } from '../chatAddress.ts';
import type { ChatRow } from '../commands.ts';
import type { ParleyError } from '../errors.ts';
import type { Change, ChatAddress, Message } from '../protocol.ts';
import type { Context } from './Context.ts';
import { Refresher } from './Refresher.ts';
import { type Observable, Store } from './Store.ts';
import {
  advanced,
  arrived,
  byNewest,
  type ChatSummary,
  type Counted,
  counted,
  type Entry,
  entryFrom,
  type LastMessage,
  merged,
  type Positions,
  type Settings,
} from './summary.ts';

type ChatChange = Extract<Change, { kind: 'chat' }>;

/** The chats of a user: pinned ones first, then by their newest message. */
export interface Chats extends Observable<readonly ChatSummary[]> {
  /** Resolves when all chats have been read. Rejects with a {@link ParleyError} if the client is closed before. */
  readonly loaded: Promise<void>;
}

/** Chats per request. With the longest messages, the reply takes less than two heartbeats on a line of 64 kB/s. */
const PAGE = 50;
/** Milliseconds in which deliveries are collected before they are reported to the senders. */
const DELIVERED_AFTER = 500;
/** The longest timer in milliseconds. */
const LONGEST_TIMER = 86_400_000;

/**
 * Keeps the list of chats current. State with an order (messages, their versions, positions, counts up to a `seq`) is
 * merged from pushes, replies and reads in whatever order they arrive. State without an order is read again after it
 * changed.
 */
export class ChatList extends Store<readonly ChatSummary[]> implements Chats {
  readonly #context: Context;
  readonly #entries: Map<string, Entry>;
  readonly #refresher: Refresher;
  readonly #arrived = new Set<string>();
  /** By key: cancels the timer of a chat that is muted until some time. */
  readonly #muted = new Map<string, () => void>();
  /** The number of changes without an order. A read that began before a change may return an older state. */
  #moment = 0;
  readonly #changedAt = new Map<string, number>();
  readonly #removedAt = new Map<string, number>();
  readonly loaded: Promise<void>;

  constructor(context: Context) {
    const entries = new Map<string, Entry>();
    super(() => [...entries.values()].map(({ summary }) => summary).sort(byNewest));
    this.#context = context;
    this.#entries = entries;
    this.#refresher = new Refresher((key) => this.#readChat(key), context.timers);
    this.loaded = this.read();
    this.loaded.catch(() => {});
  }

  /** Returns a chat by its key. */
  get(key: string): ChatSummary | undefined {
    return this.#entries.get(key)?.summary;
  }

  /** Reads all chats, and one by one those that are not listed any more. */
  async read(): Promise<void> {
    const since = this.#moment;
    const missing = new Set(this.#entries.keys());
    for (let page = 1; ; page++) {
      const params = { limit: PAGE, page };
      const rows = await this.#context.retry('listLastMessage', params, ({ data }) => {
        for (const row of data) missing.delete(this.#put(row, since));
        return data.length;
      });
      if (rows < PAGE) break;
    }
    for (const key of missing) this.refresh(key);
  }

  /** Reads a chat again, after a change that does not include the new state. */
  refresh(key: string): void {
    this.#refresher.refresh(key);
  }

  /** Applies new settings at once, and reads which ones the server has: they have no order. */
  change(key: string, changes: Partial<Settings>): void {
    this.#changedAt.set(key, ++this.#moment);
    this.refresh(key);
    this.#change(key, () => changes);
  }

  /** Moves positions forwards. */
  advance(key: string, positions: Partial<Positions>): void {
    this.#change(key, (summary) => advanced(summary, positions));
  }

  /** Applies unread counts of the server. */
  counted(key: string, counts: Counted): void {
    this.#update(key, (entry) => counted(entry, counts));
  }

  /** Removes a chat that this user has left. */
  remove(key: string): void {
    this.#removedAt.set(key, ++this.#moment);
    this.#muted.get(key)?.();
    if (this.#entries.delete(key)) this.changed();
  }

  /**
   * Applies the change of a message; `text` has its new content if that changed. If the message may be among the unread
   * ones, the counts are read again, because the server decides which messages count.
   */
  edited(
    key: string,
    { messageId, seq, version, mentions }: Pick<Message, 'messageId' | 'seq' | 'version' | 'mentions'>,
    text?: Partial<Pick<LastMessage, 'content' | 'deletedAt'>>,
  ): void {
    this.#change(key, ({ lastMessage: last, readSeq, mentionCount }) => {
      const isLast = last.messageId === messageId;
      const isCounted =
        text && seq > readSeq && (text.deletedAt || mentionCount || mentions.includes(this.#userId));
      // The message has not arrived yet, or another part of it is newer.
      if (isCounted || seq > last.seq || (isLast && version < last.version)) this.refresh(key);
      return isLast && version >= last.version ? { lastMessage: { ...last, ...text, version } } : {};
    });
  }

  /** Adds a new message to its chat. */
  arrived(key: string, message: Message): void {
    this.#update(key, (entry) => arrived(entry, message, this.#userId));
  }

  /** Applies the state of a chat that a catch-up found. */
  changedTo({ lastSeq, group, role: _, kind: __, groupId, receiverId, ...state }: ChatChange): void {
    const key = chatKey({ groupId, receiverId } as ChatAddress);
    // The server was restored from a backup with fewer messages.
    if (lastSeq < (this.get(key)?.lastMessage.seq ?? 0)) this.#entries.delete(key);
    this.#update(key, ({ summary }) => ({
      summary: { ...summary, ...state, ...(group && { name: group.groupName }) },
      counted: { ...state, lastSeq },
      arrivals: [],
    }));
  }

  /** Applies the new name of a user. */
  renamed(userId: number, name: string): void {
    for (const key of this.#entries.keys())
      this.#change(key, ({ lastMessage: last }) => ({
        ...(key === chatKey({ receiverId: userId }) && { name }),
        ...(last.senderId === userId && { lastMessage: { ...last, senderName: name } }),
      }));
  }

  get #userId(): number {
    return this.#context.client.self?.userId ?? 0;
  }

  async #readChat(key: string): Promise<void> {
    const since = this.#moment;
    try {
      await this.#context.retry('getChat', addressOf(key), ({ data }) => {
        if (data) this.#put(data, since);
      });
    } catch (error) {
      if (isNotMember(error as ParleyError)) this.remove(key);
    }
  }

  /** Merges a chat that was read; changes since the request are kept. Returns its key. */
  #put(read: ChatRow, since: number): string {
    const { receiverId, receiverName } = read;
    const receiver = receiverId && { receiverName: this.#context.names.of(receiverId, receiverName ?? '') };
    const entry = entryFrom({ ...this.#context.names.in(read), ...receiver }, this.#userId);
    const { key } = entry.summary;
    const known = this.#entries.get(key);
    const isChanged = (this.#changedAt.get(key) ?? 0) > since;
    if (known) this.#set(key, merged(known, entry, (isChanged ? known : entry).summary));
    else if ((this.#removedAt.get(key) ?? 0) <= since) this.#set(key, entry);
    return key;
  }

  #change(key: string, change: (summary: ChatSummary) => Partial<ChatSummary>): void {
    this.#update(key, (entry) => ({ ...entry, summary: { ...entry.summary, ...change(entry.summary) } }));
  }

  #update(key: string, change: (entry: Entry) => Entry): void {
    const entry = this.#entries.get(key);
    if (entry) this.#set(key, change(entry));
    else this.refresh(key);
  }

  #set(key: string, entry: Entry): void {
    const before = this.get(key);
    const { readSeq, deliveredSeq, mutedUntil, lastMessage } = entry.summary;
    // In the notes to oneself the other person is this user.
    const isNotes = key === chatKey({ receiverId: this.#userId });
    const mirrored = isNotes && { otherReadSeq: readSeq, otherDeliveredSeq: deliveredSeq };
    this.#entries.set(key, { ...entry, summary: { ...entry.summary, ...mirrored } });
    this.changed();
    if (mutedUntil !== before?.mutedUntil) this.#endMute(key);
    if (deliveredSeq >= lastMessage.seq) return;
    if (this.#arrived.size === 0) this.#context.timers.start(() => this.#deliver(), DELIVERED_AFTER);
    this.#arrived.add(key);
  }

  /** Unmutes a chat at the end of its time, which the server does not push. */
  #endMute(key: string): void {
    this.#muted.get(key)?.();
    const until = this.get(key)?.mutedUntil;
    if (!until) return;
    const left = Date.parse(until) - this.#context.client.now();
    if (left <= 0) this.#change(key, () => ({ muted: false, mutedUntil: null }));
    else
      this.#muted.set(
        key,
        this.#context.timers.start(() => this.#endMute(key), Math.min(left, LONGEST_TIMER)),
      );
  }

  /** Reports to the senders that their messages have been delivered to this device. */
  #deliver(): void {
    for (const key of this.#arrived) {
      const chat = this.get(key);
      if (!chat || chat.deliveredSeq >= chat.lastMessage.seq) continue;
      const { seq } = chat.lastMessage;
      this.advance(key, { deliveredSeq: seq });
      this.#context.client.call('markDelivered', { ...chat.address, seq }).catch(() => {}); // not a member any more
    }
    this.#arrived.clear();
  }
}
