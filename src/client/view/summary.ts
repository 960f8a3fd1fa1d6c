import { addressIn, chatKey } from '../chatAddress.ts';
import type { ChatAddress, Message, Result } from '../protocol.ts';

/** A chat as the server lists it. */
export type Row = Result<'listLastMessage'>['data'][number];

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
] as const;

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

/** A chat as a list shows it. */
export interface ChatSummary extends Pick<Row, (typeof STATE)[number]> {
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

export type LastMessage = Pick<Message, (typeof LAST_MESSAGE)[number]>;

export type Positions = Pick<ChatSummary, 'readSeq' | 'deliveredSeq' | 'otherReadSeq' | 'otherDeliveredSeq'>;
export type Settings = Pick<
  ChatSummary,
  'name' | 'markedUnread' | 'muted' | 'mutedUntil' | 'pinned' | 'archived'
>;

/** Unread counts of the server, and up to which message: to write one takes the mark away, too. */
export interface Counted extends Pick<ChatSummary, 'unreadCount' | 'mentionCount' | 'markedUnread'> {
  readonly lastSeq: number;
}

/** A message that came after what the server counted. */
interface Arrival {
  readonly seq: number;
  readonly unread: number;
  readonly mentions: number;
}

/** A chat of the list, and what its counts are made of. */
export interface Entry {
  readonly summary: ChatSummary;
  readonly counted: Counted;
  readonly arrivals: readonly Arrival[];
}

/** Arrivals that are remembered one by one: what was counted before them is of no use any more. */
const MAX_ARRIVALS = 1_000;

/** Returns a chat as the server lists it to `self`. */
export function entryFrom(row: Row, self: number): Entry {
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

/** Returns a chat with another state of it, each part of which may be older or newer; settings as `settings` has them. */
export function merged(known: Entry, other: Entry, settings: ChatSummary): Entry {
  const { summary, ...counts } = counted(known, other.counted);
  const { unreadCount, mentionCount, markedUnread } = summary;
  const lastMessage = newer(summary.lastMessage, other.summary.lastMessage);
  const both = { ...settings, unreadCount, mentionCount, markedUnread, lastMessage };
  return { ...counts, summary: advanced(advanced(both, summary), other.summary) };
}

/** Returns a chat with what the server counted, unless it knew of less then. */
export function counted(entry: Entry, latest: Counted): Entry {
  const { summary, counted, arrivals } = entry;
  if (latest.lastSeq < counted.lastSeq) return entry;
  const { markedUnread } = latest;
  return recounted({ ...entry, summary: { ...summary, markedUnread } }, latest, arrivals);
}

/** Returns a chat in which a message took its place. */
export function arrived(entry: Entry, message: Message, self: number): Entry {
  const { seq, kind, senderId, deletedAt } = message;
  const { summary: before, counted: server, arrivals } = entry;
  const isText = kind === 'text';
  const isOwn = isText && senderId === self;
  const isNew = seq > server.lastSeq && seq > (arrivals.at(-1)?.seq ?? 0);
  // Who writes has read what was before.
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

/** Returns a chat with positions that go only forwards. */
export function advanced(summary: ChatSummary, positions: Partial<Positions>): ChatSummary {
  const all = POSITIONS.map((name) => [name, Math.max(summary[name], positions[name] ?? 0)]);
  return { ...summary, ...Object.fromEntries(all) };
}

/** Returns the later of two newest messages, or the later state of one. */
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

/** Pinned chats first, then by their newest message, as the server has them. */
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
