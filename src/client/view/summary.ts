import { addressIn, chatKey } from '../chatAddress.ts';
import type { ChatRow, ChatState } from '../commands.ts';
import type { ChatAddress, Message } from '../protocol.ts';

const STATE = [
  'unreadCount',
  'mentionCount',
  'readSeq',
  'deliveredSeq',
  'markedUnread',
  'muted',
  'mutedUntil',
  'pinned',
  'archived',
] as const satisfies (keyof ChatState)[];

const LAST_MESSAGE = [
  'messageId',
  'seq',
  'version',
  'kind',
  'senderId',
  'senderName',
  'content',
  'createdAt',
  'deletedAt',
] as const;

/** A chat in the list of chats. */
export interface ChatSummary extends ChatState {
  /** Identifies the chat: `group:7`, or `user:7` for the dialog with that user. */
  readonly key: string;
  readonly address: ChatAddress;
  /** The name of the group, or the username of the other person. */
  readonly name: string;
  readonly lastMessage: LastMessage;
  /** The `seq` up to which the other person of a dialog has read; 0 in groups. */
  readonly otherReadSeq: number;
  /** The `seq` up to which the other person of a dialog has received; 0 in groups. */
  readonly otherDeliveredSeq: number;
}

/** The newest message of a chat. */
export type LastMessage = Pick<Message, (typeof LAST_MESSAGE)[number]>;

/** The `seq`s up to which this user and the other person of a dialog have read and received. */
export type Positions = Pick<ChatSummary, 'readSeq' | 'deliveredSeq' | 'otherReadSeq' | 'otherDeliveredSeq'>;
/** The state of a chat that has no order. */
export type Settings = Pick<
  ChatSummary,
  'name' | 'markedUnread' | 'muted' | 'mutedUntil' | 'pinned' | 'archived'
>;

/** Unread counts of the server up to `lastSeq`, with the mark as unread, which sending a message removes. */
export interface Counted extends Pick<ChatSummary, 'unreadCount' | 'mentionCount' | 'markedUnread'> {
  readonly lastSeq: number;
}

/** A message after those that the server counted. */
interface Arrival {
  readonly seq: number;
  readonly unread: number;
  readonly mentions: number;
}

/** A chat of the list, with the parts of its counts. */
export interface Entry {
  readonly summary: ChatSummary;
  readonly counted: Counted;
  readonly arrivals: readonly Arrival[];
}

/** The number of arrivals that are kept one by one. The older ones are added to the counts of the server. */
const MAX_ARRIVALS = 1_000;

/** Returns a chat from the row that the server lists to `self`. */
export function entryFrom(row: ChatRow, self: number): Entry {
  const { id: messageId, seq, senderId, receiverName, groupName, otherReadSeq, otherDeliveredSeq } = row;
  const address = addressIn(row, self) as ChatAddress;
  const state = pick(row, STATE);
  return {
    summary: {
      key: chatKey(address),
      address,
      name: groupName ?? (senderId === self ? receiverName : row.senderName) ?? '',
      lastMessage: pick({ ...row, messageId }, LAST_MESSAGE),
      ...state,
      otherReadSeq: otherReadSeq ?? 0,
      otherDeliveredSeq: otherDeliveredSeq ?? 0,
    },
    counted: { ...state, lastSeq: seq },
    arrivals: [],
  };
}

/** Merges two states of a chat, of which each part may be the newer one. The settings are those of `settings`. */
export function merged(known: Entry, other: Entry, settings: ChatSummary): Entry {
  const { summary, ...counts } = counted(known, other.counted);
  const { unreadCount, mentionCount, markedUnread } = summary;
  const lastMessage = newer(summary.lastMessage, other.summary.lastMessage);
  const both = { ...settings, unreadCount, mentionCount, markedUnread, lastMessage };
  return { ...counts, summary: advanced(advanced(both, summary), other.summary) };
}

/** Returns a chat with counts of the server, unless they are older than the present ones. */
export function counted(entry: Entry, latest: Counted): Entry {
  const { summary, counted, arrivals } = entry;
  if (latest.lastSeq < counted.lastSeq) return entry;
  const { markedUnread } = latest;
  return recounted({ ...entry, summary: { ...summary, markedUnread } }, latest, arrivals);
}

/** Returns a chat with a message that arrived. */
export function arrived(entry: Entry, message: Message, self: number): Entry {
  const { seq, kind, senderId, deletedAt } = message;
  const { summary: before, counted: server, arrivals } = entry;
  const isText = kind === 'text';
  const isOwn = isText && senderId === self;
  const isNew = seq > server.lastSeq && seq > (arrivals.at(-1)?.seq ?? 0);
  // The sender of a message has read those before it.
  const moved = isOwn
    ? { readSeq: seq, deliveredSeq: seq }
    : isText && !before.address.groupId && { otherReadSeq: seq, otherDeliveredSeq: seq };
  const summary = {
    ...advanced(before, moved || {}),
    lastMessage: newer(before.lastMessage, pick(message, LAST_MESSAGE)),
  };
  if (!isNew) return { ...entry, summary };
  const unread = isText && !message.silent && !deletedAt ? 1 : 0;
  const arrival = { seq, unread, mentions: message.mentions.includes(self) ? 1 : 0 };
  const all = recounted({ ...entry, summary }, server, isOwn ? arrivals : [...arrivals, arrival]);
  if (isOwn) return counted(all, { lastSeq: seq, unreadCount: 0, mentionCount: 0, markedUnread: false });
  return arrivals.length < MAX_ARRIVALS ? all : counted(all, { ...all.summary, lastSeq: seq });
}

const POSITIONS = ['readSeq', 'deliveredSeq', 'otherReadSeq', 'otherDeliveredSeq'] as const;

/** Returns a chat with new positions, each unless it would go backwards. */
export function advanced(summary: ChatSummary, positions: Partial<Positions>): ChatSummary {
  const all = POSITIONS.map((name) => [name, Math.max(summary[name], positions[name] ?? 0)]);
  return { ...summary, ...Object.fromEntries(all) };
}

/** Returns the newer of two messages, or the newer state of one. */
function newer(known: LastMessage, other: LastMessage): LastMessage {
  const isLater =
    other.messageId === known.messageId ? other.version >= known.version : other.seq >= known.seq;
  return isLater ? other : known;
}

function recounted(entry: Entry, counted: Counted, all: readonly Arrival[]): Entry {
  let { unreadCount, mentionCount } = counted;
  const arrivals = all.filter(({ seq }) => seq > counted.lastSeq);
  for (const { unread, mentions } of arrivals) {
    unreadCount += unread;
    mentionCount += mentions;
  }
  return { summary: { ...entry.summary, unreadCount, mentionCount }, counted, arrivals };
}

/** Compares two chats: pinned ones first, then by their newest message, as the server does. */
export function byNewest(one: ChatSummary, other: ChatSummary): number {
  const [last, next] = [one.lastMessage, other.lastMessage];
  return (
    Number(other.pinned) - Number(one.pinned) ||
    Date.parse(next.createdAt) - Date.parse(last.createdAt) ||
    next.messageId - last.messageId
  );
}

function pick<From extends object, Name extends keyof From>(
  from: From,
  names: readonly Name[],
): Pick<From, Name> {
  return Object.fromEntries(names.map((name) => [name, from[name]])) as Pick<From, Name>;
}
