import { keyOf } from '../places.ts';
import type { CommandName, Message } from '../protocol.ts';
import type { ChatList } from './ChatList.ts';
import type { ChatView } from './ChatView.ts';

/** What the pushes and replies below have, all together. */
export interface Fields {
  readonly messageId: number;
  readonly seq: number;
  readonly senderId: number;
  /** Who left, or was put out. */
  readonly userId?: number;
  /** Of a message of one's own that was stored. */
  readonly clientMessageId?: string;
  readonly emoji: string;
  readonly count?: number;
  /** What an edited message says, in a request and in a push. */
  readonly content?: string;
  readonly message?: string | null;
  readonly editedAt: string | null;
  readonly deletedAt: string;
  readonly mentions?: number[];
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
    editMessage({ messageId, content, message, editedAt, mentions = [] }) {
      const edited = { content: content ?? message ?? '', editedAt, mentions };
      changeMessage(messageId, () => edited);
      list.lastChanged(messageId, edited);
    },
    deleteMessage(fields) {
      const { messageId, seq, deletedAt } = fields;
      changeMessage(messageId, () => ({
        content: '',
        deletedAt,
        custom: null,
        reactions: [],
        pinned: false,
      }));
      list.lastChanged(messageId, { content: '', deletedAt });
      const chat = list.get(keyOf(fields, self()) ?? '');
      if (chat && seq > chat.readSeq) list.recount(chat.key);
    },
    addReaction: (fields) => react(fields, true),
    removeReaction: (fields) => react(fields, false),
    pinMessage: ({ messageId }) => changeMessage(messageId, () => ({ pinned: true })),
    unpinMessage: ({ messageId }) => changeMessage(messageId, () => ({ pinned: false })),

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

  function react({ messageId, emoji, count, senderId }: Fields, added: boolean): void {
    const isSelf = senderId === self();
    changeMessage(messageId, ({ reactions }) => ({
      reactions: withReaction(reactions, emoji, added, isSelf, count),
    }));
  }

  /** Wherever it is shown: the reply to a command of one's own does not say which chat a message is in. */
  function changeMessage(messageId: number, change: (message: Message) => Partial<Message>): void {
    for (const view of views.values()) view.patch(messageId, change);
  }
}

function withReaction(
  reactions: Message['reactions'],
  emoji: string,
  added: boolean,
  isSelf: boolean,
  count?: number,
): Message['reactions'] {
  const before = reactions.find((reaction) => reaction.emoji === emoji) ?? { emoji, count: 0, own: false };
  const own = isSelf ? added : before.own;
  const changed = before.own === own ? 0 : added ? 1 : -1;
  const after = { emoji, own, count: count ?? before.count + changed };
  const others = reactions.map((reaction) => (reaction.emoji === emoji ? after : reaction));
  return (reactions.some((reaction) => reaction.emoji === emoji) ? others : [...reactions, after]).filter(
    (reaction) => reaction.count > 0,
  );
}
