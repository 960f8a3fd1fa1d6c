import { addressOf, chatKey, isForOthers } from '../chatAddress.ts';
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
  type Row,
  type Settings,
} from './summary.ts';

type ChatChange = Extract<Change, { kind: 'chat' }>;

/** The chats of a user: pinned ones first, then by their newest message. */
export interface Chats extends Observable<readonly ChatSummary[]> {
  /** Resolves when all chats are there. */
  readonly loaded: Promise<void>;
}

/** Of the longest messages, these come within the patience for a silent connection on a line of 64 kB/s. */
const PAGE = 50;
/** Milliseconds in which arrivals are reported to their senders together. */
const DELIVERED_AFTER = 500;
/** Milliseconds that a timer takes at most. */
const LONGEST_TIMER = 86_400_000;

/**
 * Keeps the chats current. What has an order of its own (messages, their versions, positions, counts up to a `seq`) is
 * put together from pushes, replies and what is read, whichever comes first; what has none is read anew after it
 * changed.
 */
export class ChatList extends Store<readonly ChatSummary[]> implements Chats {
  readonly #context: Context;
  readonly #entries: Map<string, Entry>;
  readonly #refresher: Refresher;
  readonly #arrived = new Set<string>();
  /** Stop the timers of chats that are muted for a while. */
  readonly #muted = new Map<string, () => void>();
  /** Counts changes that have no order of their own: what is being read meanwhile may be older. */
  #moment = 0;
  readonly #changedAt = new Map<string, number>();
  readonly #removedAt = new Map<string, number>();
  readonly loaded: Promise<void>;

  constructor(context: Context) {
    const entries = new Map<string, Entry>();
    super(() => [...entries.values()].map(({ summary }) => summary).sort(byNewest));
    this.#context = context;
    this.#entries = entries;
    this.#refresher = new Refresher((key) => this.#refresh(key), context.timers);
    this.loaded = this.read();
    this.loaded.catch(() => {});
  }

  get(key: string): ChatSummary | undefined {
    return this.#entries.get(key)?.summary;
  }

  /** Reads all chats, and anew those that are not listed any more. */
  async read(): Promise<void> {
    const since = this.#moment;
    const missing = new Set(this.#entries.keys());
    for (let page = 1; ; page++) {
      const params = { limit: PAGE, page };
      const rows = await this.#context.insist('listLastMessage', params, ({ data }) => {
        for (const row of data) missing.delete(this.#put(row, since));
        return data.length;
      });
      if (rows < PAGE) break;
    }
    for (const key of missing) this.want(key);
  }

  /** Reads a chat anew: something happened to it that does not say how it is now. */
  want(key: string): void {
    this.#refresher.want(key);
  }

  /** Changes settings, of which the last ones hold; which these are is read. */
  change(key: string, changes: Partial<Settings>): void {
    this.#changedAt.set(key, ++this.#moment);
    this.want(key);
    this.#change(key, () => changes);
  }

  /** Moves positions, which only go forwards. */
  advance(key: string, positions: Partial<Positions>): void {
    this.#change(key, (summary) => advanced(summary, positions));
  }

  /** The server has counted what is unread. */
  counted(key: string, counts: Counted): void {
    this.#update(key, (entry) => counted(entry, counts));
  }

  remove(key: string): void {
    this.#removedAt.set(key, ++this.#moment);
    this.#muted.get(key)?.();
    if (this.#entries.delete(key)) this.changed();
  }

  /** A message was changed, maybe what it `says`: which unread ones count, and whom they mention, is up to the server. */
  edited(
    key: string,
    { messageId, seq, version, mentions }: Pick<Message, 'messageId' | 'seq' | 'version' | 'mentions'>,
    says?: Partial<Pick<LastMessage, 'content' | 'deletedAt'>>,
  ): void {
    this.#change(key, ({ lastMessage: last, readSeq, mentionCount }) => {
      const isLast = last.messageId === messageId;
      const isCounted =
        says && seq > readSeq && (says.deletedAt || mentionCount || mentions.includes(this.#userId));
      // Not here yet, or something else of it is newer.
      if (isCounted || seq > last.seq || (isLast && version < last.version)) this.want(key);
      return isLast && version >= last.version ? { lastMessage: { ...last, ...says, version } } : {};
    });
  }

  /** A message took its place in a chat. */
  arrived(key: string, message: Message): void {
    this.#update(key, (entry) => arrived(entry, message, this.#userId));
  }

  /** The state of a chat, as catching up found it. */
  changedTo({ lastSeq, group, role: _, kind: __, groupId, receiverId, ...state }: ChatChange): void {
    const key = chatKey({ groupId, receiverId } as ChatAddress);
    // Fewer messages than were there: the server was set back to an earlier moment.
    if (lastSeq < (this.get(key)?.lastMessage.seq ?? 0)) this.#entries.delete(key);
    this.#update(key, ({ summary }) => ({
      summary: { ...summary, ...state, ...(group && { name: group.groupName }) },
      counted: { ...state, lastSeq },
      arrivals: [],
    }));
  }

  /** Somebody has another name. */
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

  async #refresh(key: string): Promise<void> {
    const since = this.#moment;
    try {
      await this.#context.insist('getChat', addressOf(key), ({ data }) => {
        if (data) this.#put(data, since);
      });
    } catch (error) {
      if (isForOthers(error as ParleyError)) this.remove(key);
    }
  }

  /** Puts a chat that was read in its place; what happened since it was asked for holds. Returns its key. */
  #put(read: Row, since: number): string {
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
    else this.want(key);
  }

  #set(key: string, entry: Entry): void {
    const before = this.get(key);
    const { readSeq, deliveredSeq, mutedUntil, lastMessage } = entry.summary;
    // In notes to oneself one is the other person, too.
    const isNotes = key === chatKey({ receiverId: this.#userId });
    const mirrored = isNotes && { otherReadSeq: readSeq, otherDeliveredSeq: deliveredSeq };
    this.#entries.set(key, { ...entry, summary: { ...entry.summary, ...mirrored } });
    this.changed();
    if (mutedUntil !== before?.mutedUntil) this.#endMute(key);
    if (deliveredSeq >= lastMessage.seq) return;
    if (this.#arrived.size === 0) this.#context.timers.start(() => this.#deliver(), DELIVERED_AFTER);
    this.#arrived.add(key);
  }

  /** Nobody tells when the time of a muted chat is over. */
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

  /** Tells the senders that their messages have reached this device. */
  #deliver(): void {
    for (const key of this.#arrived) {
      const chat = this.get(key);
      if (!chat || chat.deliveredSeq >= chat.lastMessage.seq) continue;
      const { seq } = chat.lastMessage;
      this.advance(key, { deliveredSeq: seq });
      this.#context.client.call('markDelivered', { ...chat.address, seq }).catch(() => {}); // gone meanwhile
    }
    this.#arrived.clear();
  }
}
