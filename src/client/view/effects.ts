import { keyOf } from '../places.ts';
import type { CommandName, Message } from '../protocol.ts';
import type { ChatList } from './ChatList.ts';
import { type ChatView, DELETED } from './ChatView.ts';

/** What the pushes and replies below have, all together. */
export interface Fields {
  readonly messageId: number;
  readonly seq: number;
  /** Of the message that was changed. */
  readonly version: number;
  readonly senderId: number;
  /** Who left, or was put out. */
  readonly userId?: number;
  /** Of a message of one's own that was stored. */
  readonly clientMessageId?: string;
  readonly emoji: string;
  readonly count: number;
  /** What an edited message says, in a request and in a push. */
  readonly content?: string;
  readonly message?: string | null;
  readonly editedAt: string | null;
  readonly deletedAt: string;
  readonly mentions: number[];
  /** Left out in a request: it stays. */
  readonly custom?: Message['custom'];
  readonly muted: boolean;
  readonly until?: string;
  readonly pinned: boolean;
  readonly archived: boolean;
  readonly senderName: string;
  readonly typing: boolean;
  readonly expiresInSeconds: number;
  /** How a group is now, in a push and in a reply. */
  readonly group?: { readonly groupName: string };
  /** Of a reply: the group, or the counts of a chat. */
  readonly data?: {
    readonly groupName?: string;
    readonly unreadCount?: number;
    readonly mentionCount?: number;
  } | null;
}

type Effects = { readonly [Name in CommandName]?: (fields: Fields) => void };

/**
 * What a push changes in what is shown, by its name; or a command of this client that succeeded, whose fields are its
 * params and its result.
 */
export function createEffects(
  list: ChatList,
  views: ReadonlyMap<string, ChatView>,
  self: () => number,
): Effects {
  return {
    privateMessage: stored,
    messageInGroup: stored,
    editMessage(fields) {
      const { content = fields.message ?? '', editedAt, mentions, custom } = fields;
      const edited = { content, editedAt, mentions, ...(custom !== undefined && { custom }) };
      changeMessage(fields, 'content', () => edited);
      list.lastChanged(fields, { content });
    },
    deleteMessage(fields) {
      const { seq, deletedAt } = fields;
      const empty = { content: '', custom: null, mentions: [], reactions: [], pinned: false, deletedAt };
      changeMessage(fields, DELETED, () => empty);
      list.lastChanged(fields, { content: '', deletedAt });
      const chat = list.get(keyOf(fields, self()) ?? '');
      if (chat && seq > chat.readSeq) list.recount(chat.key);
    },
    addReaction: (fields) => react(fields, true),
    removeReaction: (fields) => react(fields, false),
    pinMessage: (fields) => changeMessage(fields, 'pin', () => ({ pinned: true })),
    unpinMessage: (fields) => changeMessage(fields, 'pin', () => ({ pinned: false })),

    markRead: (fields) =>
      inChat(fields, (key, isSelf) => {
        const { seq, data } = fields;
        if (!isSelf) return list.advance(key, { otherReadSeq: seq, otherDeliveredSeq: seq });
        list.advance(key, { readSeq: seq, deliveredSeq: seq });
        list.update(key, { markedUnread: false, ...data });
        if (!data) list.recount(key);
      }),
    markDelivered: (fields) =>
      inChat(fields, (key, isSelf) => {
        const { seq } = fields;
        list.advance(key, isSelf ? { deliveredSeq: seq } : { otherDeliveredSeq: seq });
      }),
    markUnread: (fields) => inChat(fields, (key) => list.update(key, { markedUnread: true })),
    muteChat: (fields) =>
      inChat(fields, (key) => list.update(key, { muted: fields.muted, mutedUntil: fields.until ?? null })),
    pinChat: (fields) => inChat(fields, (key) => list.update(key, { pinned: fields.pinned })),
    archiveChat: (fields) => inChat(fields, (key) => list.update(key, { archived: fields.archived })),
    typing: (fields) =>
      inChat(fields, (key, isSelf) => {
        if (!isSelf) views.get(key)?.typed(fields);
      }),

    updateGroup: (fields) =>
      inChat(fields, (key) => {
        const name = (fields.group ?? fields.data)?.groupName;
        if (name !== undefined) list.update(key, { name });
      }),
    leaveGroup: leave,
    removeUserFromGroup: leave,
    banUser: leave,
    deleteGroup: (fields) => inChat(fields, (key) => list.remove(key)),
  };

  function inChat(fields: Fields, change: (key: string, isSelf: boolean) => void): void {
    const key = keyOf(fields, self());
    if (key !== undefined) change(key, fields.senderId === self());
  }

  function stored(fields: Fields): void {
    const { clientMessageId, messageId } = fields;
    if (clientMessageId !== undefined)
      inChat(fields, (key) => views.get(key)?.stored(clientMessageId, messageId));
  }

  function leave(fields: Fields): void {
    inChat(fields, (key) => {
      if ((fields.userId ?? fields.senderId) === self()) list.remove(key);
    });
  }

  /** How often an emoji is there is one thing, whether one's own is among them another. */
  function react(fields: Fields, own: boolean): void {
    const { emoji, count, senderId } = fields;
    changeMessage(fields, emoji, withReaction({ emoji, count }));
    if (senderId === self()) changeMessage(fields, `own ${emoji}`, withReaction({ emoji, own }));
  }

  /** Wherever it is shown: the reply to a command of one's own does not say which chat a message is in. */
  function changeMessage(fields: Fields, part: string, change: (message: Message) => Partial<Message>): void {
    for (const view of views.values()) view.patch(fields, part, change);
  }
}

type Reaction = Message['reactions'][number];

function withReaction(changes: Partial<Reaction> & Pick<Reaction, 'emoji'>) {
  return ({ reactions }: Message): Partial<Message> => {
    const before = reactions.find(({ emoji }) => emoji === changes.emoji);
    const after = { count: 0, own: false, ...before, ...changes };
    const all = before
      ? reactions.map((reaction) => (reaction === before ? after : reaction))
      : [...reactions, after];
    return { reactions: all.filter(({ count }) => count > 0) };
  };
}
