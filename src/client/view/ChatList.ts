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
  extends Pick<Row, 'seq' | 'kind' | 'senderId' | 'senderName' | 'content' | 'createdAt' | 'deletedAt'> {
  readonly messageId: number;
}

type Positions = Pick<ChatSummary, 'readSeq' | 'deliveredSeq' | 'otherReadSeq' | 'otherDeliveredSeq'>;

/** The chats of a user: pinned ones first, then by their newest message. */
export interface Chats extends Observable<readonly ChatSummary[]> {
  /** Resolves when all chats are there. */
  readonly loaded: Promise<void>;
}

const PAGE = 100;
/** Milliseconds in which arrivals are reported to their senders together. */
const DELIVERED_AFTER = 500;

/** Keeps the chats current from pages and events. */
export class ChatList extends Store<readonly ChatSummary[]> implements Chats {
  readonly #client: Client;
  readonly #chats: Map<string, ChatSummary>;
  readonly #arrived = new Set<string>();
  readonly loaded: Promise<void>;
  #reading = false;

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
    if (!chat) return;
    this.#chats.set(key, { ...chat, ...changes });
    this.changed();
  }

  /** Moves positions, which only go forwards. */
  advance(key: string, positions: Partial<Positions>): void {
    const chat = this.#chats.get(key);
    if (!chat) return;
    const moved = Object.entries(positions).filter(([name, seq]) => seq > chat[name as keyof Positions]);
    if (moved.length > 0) this.update(key, Object.fromEntries(moved));
  }

  remove(key: string): void {
    if (this.#chats.delete(key)) this.changed();
  }

  /** What the newest message of some chat says has changed. */
  lastChanged(messageId: number, changes: Partial<Pick<LastMessage, 'content' | 'deletedAt'>>): void {
    for (const { key, lastMessage } of this.#chats.values())
      if (lastMessage.messageId === messageId)
        this.update(key, { lastMessage: { ...lastMessage, ...changes } });
  }

  /** A message took its place in a chat. */
  arrived(key: string, push: Push, isOwn: boolean): void {
    const { messageId, seq, senderId, senderName, message, createdAt, silent, mentions } =
      push.params as Push<'messageInGroup'>['params'];
    const chat = this.#chats.get(key);
    if (!chat) return this.#readNewest();
    if (seq <= chat.lastMessage.seq) return;
    const kind = push.type === 'privateMessage' || push.type === 'messageInGroup' ? 'text' : 'system';
    const self = this.#client.self?.userId;
    this.update(key, {
      lastMessage: {
        messageId,
        seq,
        kind,
        senderId,
        senderName,
        content: message,
        createdAt,
        deletedAt: null,
      },
      ...(kind === 'text' &&
        (isOwn || senderId === self
          ? { unreadCount: 0, mentionCount: 0, markedUnread: false, readSeq: seq, deliveredSeq: seq }
          : {
              unreadCount: chat.unreadCount + (silent ? 0 : 1),
              mentionCount: chat.mentionCount + (mentions?.includes(self ?? 0) ? 1 : 0),
            })),
    });
    if (senderId !== self) this.#deliverLater(key);
  }

  /** The state of a chat, as catching up found it. */
  changedTo({ lastSeq, group, role, kind, groupId, receiverId, ...state }: ChatChange): void {
    const key = chatKey({ groupId, receiverId } as ChatAddress);
    if (!this.#chats.has(key)) return this.#readNewest();
    this.update(key, { ...state, ...(group && { name: group.groupName }) });
    this.#deliverLater(key);
  }

  /** Counts anew what is unread: a position that was taken already is answered with the counts. */
  recount(key: string): void {
    const chat = this.#chats.get(key);
    if (chat?.readSeq === 0) this.#readNewest();
    else if (chat) this.#client.call('markRead', { ...chat.address, seq: chat.readSeq }).catch(() => {}); // gone meanwhile
  }

  #readNewest(): void {
    if (this.#reading) return;
    this.#reading = true;
    this.#read(1)
      .catch(() => {}) // closed, or refused: what is missing shows with the next event
      .finally(() => {
        this.#reading = false;
      });
  }

  async #read(pages: number): Promise<void> {
    for (let page = 1; page <= pages; page++) {
      const { data } = await this.#client.call('listLastMessage', { limit: PAGE, page });
      await this.#client.online(); // who the user is, is known
      for (const row of data) this.#put(row);
      this.changed();
      if (data.length < PAGE) return;
    }
  }

  #put(row: Row): void {
    const { id, seq, kind, senderId, senderName, receiverId, receiverName, groupId, groupName } = row;
    const { content, createdAt, updatedAt, deletedAt, otherReadSeq, otherDeliveredSeq, ...state } = row;
    const self = this.#client.self?.userId ?? 0;
    const address = addressIn({ senderId, receiverId, groupId }, self) as ChatAddress;
    const key = chatKey(address);
    if ((this.#chats.get(key)?.lastMessage.seq ?? 0) > seq) return; // newer events overtook the page
    const other = senderId === self ? receiverName : senderName;
    this.#chats.set(key, {
      key,
      address,
      name: (groupId === null ? other : groupName) ?? '',
      lastMessage: { messageId: id, seq, kind, senderId, senderName, content, createdAt, deletedAt },
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
      this.update(key, { deliveredSeq: seq });
      this.#client.call('markDelivered', { ...chat.address, seq }).catch(() => {}); // gone meanwhile
    }
    this.#arrived.clear();
  }
}
