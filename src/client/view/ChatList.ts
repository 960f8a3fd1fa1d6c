import type { Client } from '../Client.ts';
import { addressIn, chatKey } from '../places.ts';
import type { Change, ChatAddress, Push, Result } from '../protocol.ts';
import { type Observable, Store } from './Store.ts';

type Row = Result<'listLastMessage'>['data'][number];
type ChatChange = Extract<Change, { kind: 'chat' }>;

/** A chat as a list shows it. */
export interface ChatSummary
  extends Pick<
    Row,
    | 'unreadCount'
    | 'mentionCount'
    | 'readSeq'
    | 'deliveredSeq'
    | 'markedUnread'
    | 'muted'
    | 'mutedUntil'
    | 'pinned'
    | 'archived'
  > {
  /** One name for the chat: `group:7`, or `user:7` for the dialog with that user. */
  readonly key: string;
  readonly address: ChatAddress;
  /** Of the group, or the username of the other person. */
  readonly name: string;
  readonly lastMessage: LastMessage;
  /** How far the other person of a dialog has read; 0 in groups. */
  readonly otherReadSeq: number;
  readonly otherDeliveredSeq: number;
}

export interface LastMessage
  extends Pick<
    Row,
    'seq' | 'version' | 'kind' | 'senderId' | 'senderName' | 'content' | 'createdAt' | 'deletedAt'
  > {
  readonly messageId: number;
}

type Edited = Pick<LastMessage, 'messageId' | 'version'>;
type Edit = Partial<Pick<LastMessage, 'content' | 'deletedAt'>>;
type Positions = Pick<ChatSummary, 'readSeq' | 'deliveredSeq' | 'otherReadSeq' | 'otherDeliveredSeq'>;

/** The chats of a user: pinned ones first, then by their newest message. */
export interface Chats extends Observable<readonly ChatSummary[]> {
  /** Resolves when all chats are there. */
  readonly loaded: Promise<void>;
}

/** Of the longest messages, these come within the patience for a silent connection on a line of 64 kB/s. */
const PAGE = 50;
/** Milliseconds in which arrivals are reported to their senders together. */
const DELIVERED_AFTER = 500;
/** Milliseconds before chats that are not listed yet are read once more: at first, and at most. */
const FIRST_PAUSE = 500;
const MAX_PAUSE = 8_000;

/** Keeps the chats current from pages and events. */
export class ChatList extends Store<readonly ChatSummary[]> implements Chats {
  readonly #client: Client;
  readonly #chats: Map<string, ChatSummary>;
  readonly #arrived = new Set<string>();
  readonly loaded: Promise<void>;
  /** Chats that something happened to while pages are read: the pages may be older. Undefined: none are read. */
  #touched: Set<string> | undefined;
  /** The same of their newest messages. */
  #edits: (readonly [Edited, Edit])[] = [];
  /** Chats that are to be read. */
  readonly #wanted = new Set<string>();
  /** The last pause before they are read once more; 0: all were there. */
  #pause = 0;
  #isPausing = false;

  constructor(client: Client) {
    const chats = new Map<string, ChatSummary>();
    super(() =>
      [...chats.values()].sort(
        (one, other) =>
          Number(other.pinned) - Number(one.pinned) ||
          (one.lastMessage.createdAt < other.lastMessage.createdAt ? 1 : -1),
      ),
    );
    this.#client = client;
    this.#chats = chats;
    this.loaded = this.#read(Number.POSITIVE_INFINITY);
    this.loaded.catch(() => {});
  }

  get(key: string): ChatSummary | undefined {
    return this.#chats.get(key);
  }

  update(key: string, changes: Partial<ChatSummary>): void {
    const chat = this.#chats.get(key);
    if (!chat) {
      if (this.#touched) this.#want(key);
      return;
    }
    this.#touched?.add(key);
    this.#chats.set(key, { ...chat, ...changes });
    this.changed();
  }

  /** Moves positions, which only go forwards. */
  advance(key: string, positions: Partial<Positions>): void {
    const chat = this.#chats.get(key);
    const moved = Object.entries(positions).filter(
      ([name, seq]) => !chat || seq > chat[name as keyof Positions],
    );
    if (moved.length > 0) this.update(key, Object.fromEntries(moved));
  }

  remove(key: string): void {
    this.#touched?.add(key);
    this.#wanted.delete(key);
    if (this.#chats.delete(key)) this.changed();
  }

  /** What the newest message of some chat says has changed. */
  lastChanged(message: Edited, changes: Edit): void {
    if (this.#touched) this.#edits.push([message, changes]);
    this.#edit(message, changes);
  }

  /** A message took its place in a chat. */
  arrived(key: string, push: Push, isOwn: boolean): void {
    const params = push.params as Push<'messageInGroup'>['params'];
    const { messageId, seq, version = 0, senderId, senderName, message, createdAt } = params;
    const { deletedAt = null, silent, mentions } = params;
    const chat = this.#chats.get(key);
    if (!chat) return this.#want(key);
    if (seq <= chat.lastMessage.seq) return;
    const kind = push.type === 'privateMessage' || push.type === 'messageInGroup' ? 'text' : 'system';
    const self = this.#client.self?.userId;
    this.update(key, {
      lastMessage: {
        messageId,
        seq,
        version,
        kind,
        senderId,
        senderName,
        content: message,
        createdAt,
        deletedAt,
      },
      ...(kind === 'text' &&
        (isOwn || senderId === self
          ? { unreadCount: 0, mentionCount: 0, markedUnread: false, readSeq: seq, deliveredSeq: seq }
          : {
              unreadCount: chat.unreadCount + (silent || deletedAt ? 0 : 1),
              mentionCount: chat.mentionCount + (mentions?.includes(self ?? 0) ? 1 : 0),
            })),
    });
    if (senderId !== self) this.#deliverLater(key);
  }

  /** The state of a chat, as catching up found it. */
  changedTo({ lastSeq, group, role, kind, groupId, receiverId, ...state }: ChatChange): void {
    const key = chatKey({ groupId, receiverId } as ChatAddress);
    if (!this.#chats.has(key)) return this.#want(key);
    this.update(key, { ...state, ...(group && { name: group.groupName }) });
    this.#deliverLater(key);
  }

  /** Counts anew what is unread: a position that was taken already is answered with the counts. */
  recount(key: string): void {
    const chat = this.#chats.get(key);
    if (chat?.readSeq === 0) this.#want(key);
    else if (chat) this.#client.call('markRead', { ...chat.address, seq: chat.readSeq }).catch(() => {}); // gone meanwhile
  }

  #edit({ messageId, version }: Edited, changes: Edit): void {
    for (const { key, lastMessage } of this.#chats.values())
      if (lastMessage.messageId === messageId && lastMessage.version <= version)
        this.update(key, { lastMessage: { ...lastMessage, ...changes, version } });
  }

  /** Reads a chat, now or after what is being read: that may not have it yet. */
  #want(key: string): void {
    this.#wanted.add(key);
    if (this.#touched) this.#touched.add(key);
    else if (!this.#isPausing) this.#readWanted();
  }

  #readWanted(): void {
    this.#isPausing = false;
    this.#read(1).catch(() => {}); // closed, or refused: what is missing shows with the next event
  }

  /** Reads so many pages, and on until everything wanted was there. */
  async #read(pages: number): Promise<void> {
    const touched = new Set<string>();
    const missing = () => [...this.#wanted].filter((key) => !touched.has(key));
    this.#touched = touched;
    this.#edits = [];
    try {
      for (let page = 1; page <= pages || missing().length > 0; page++) {
        const { data } = await this.#client.call('listLastMessage', { limit: PAGE, page });
        await this.#client.online(); // who the user is, is known
        for (const row of data) this.#put(row);
        for (const [message, changes] of this.#edits) this.#edit(message, changes);
        this.changed();
        if (data.length < PAGE) break;
      }
      for (const key of missing()) this.#wanted.delete(key); // it is gone
    } finally {
      this.#touched = undefined;
    }
    this.#isPausing = this.#wanted.size > 0;
    this.#pause = this.#isPausing ? Math.min(this.#pause * 2 || FIRST_PAUSE, MAX_PAUSE) : 0;
    if (this.#isPausing) setTimeout(() => this.#readWanted(), this.#pause);
  }

  #put(row: Row): void {
    const { id, seq, version, kind, senderId, senderName, receiverId, receiverName, groupId, groupName } =
      row;
    const { content, createdAt, updatedAt, deletedAt, otherReadSeq, otherDeliveredSeq, ...state } = row;
    const self = this.#client.self?.userId ?? 0;
    const address = addressIn({ senderId, receiverId, groupId }, self) as ChatAddress;
    const key = chatKey(address);
    const isOlder = this.#touched?.has(key);
    // What is known goes on with what happened, and what was removed is gone.
    if (isOlder && (this.#chats.has(key) || !this.#wanted.has(key))) return;
    if (!isOlder) this.#wanted.delete(key);
    const other = senderId === self ? receiverName : senderName;
    this.#chats.set(key, {
      key,
      address,
      name: (groupId === null ? other : groupName) ?? '',
      lastMessage: { messageId: id, seq, version, kind, senderId, senderName, content, createdAt, deletedAt },
      ...state,
      otherReadSeq: otherReadSeq ?? 0,
      otherDeliveredSeq: otherDeliveredSeq ?? 0,
    });
    this.#deliverLater(key);
  }

  /** Tells the senders that their messages have reached this device. */
  #deliverLater(key: string): void {
    if (this.#arrived.size === 0) setTimeout(() => this.#deliver(), DELIVERED_AFTER);
    this.#arrived.add(key);
  }

  #deliver(): void {
    for (const key of this.#arrived) {
      const chat = this.#chats.get(key);
      if (!chat || chat.deliveredSeq >= chat.lastMessage.seq) continue;
      const { seq } = chat.lastMessage;
      this.advance(key, { deliveredSeq: seq });
      this.#client.call('markDelivered', { ...chat.address, seq }).catch(() => {}); // gone meanwhile
    }
    this.#arrived.clear();
  }
}
