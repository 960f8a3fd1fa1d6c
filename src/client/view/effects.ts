import { chatKeyOf } from '../chatAddress.ts';
import type { CommandName, Message } from '../protocol.ts';
import type { ChatList } from './ChatList.ts';
import type { ChatView } from './ChatView.ts';
import { DELETED, type Part, withReaction } from './History.ts';
import type { Counted, Settings } from './summary.ts';

/** The fields of all pushes and replies below. */
export interface Fields {
  readonly messageId: number;
  readonly seq: number;
  /** The version of the changed message. */
  readonly version: number;
  readonly senderId: number;
  /** The user who changed their profile. */
  readonly userId: number;
  readonly username: string;
  /** Of a message of this user that was stored. */
  readonly clientMessageId?: string;
  readonly emoji: string;
  readonly count: number;
  /** The new text of an edited message: `content` of a request, `message` of a push. */
  readonly content?: string;
  readonly message?: string | null;
  readonly editedAt: string | null;
  readonly deletedAt: string;
  readonly mentions: number[];
  readonly custom: Message['custom'];
  readonly muted: boolean;
  readonly until?: string;
  readonly pinned: boolean;
  readonly archived: boolean;
  readonly senderName: string;
  readonly typing: boolean;
  readonly expiresInSeconds: number;
  /** The present state of a group: `group` of a push, `data` of a reply. */
  readonly group?: { readonly groupName: string };
  /** The data of a reply: a group, or the counts of a chat. */
  readonly data?: ({ readonly groupName?: string } & Partial<Counts>) | null;
}

interface Counts extends Counted {
  readonly readSeq: number;
}

type Effect = (fields: Fields) => void;
type Effects = { readonly [Name in CommandName]?: Effect };
/** Creates an effect on a chat; `isSelf` is true if this user caused it. */
type InChat = (change: (fields: Fields, key: string, isSelf: boolean) => void) => Effect;

/**
 * Returns the effects on the view, by name, of a push, or of a command of this client that succeeded: its fields are its
 * params and its result.
 */
export function createEffects(
  list: ChatList,
  views: ReadonlyMap<string, ChatView>,
  self: () => number,
  renamed: (userId: number, name: string) => void,
): Effects {
  const inChat: InChat = (change) => (fields) => {
    const key = chatKeyOf(fields, self());
    if (key) change(fields, key, fields.senderId === self());
  };
  const stored = inChat(({ clientMessageId, messageId }, key) => {
    if (clientMessageId !== undefined) views.get(key)?.stored(clientMessageId, messageId);
  });

  return {
    privateMessage: stored,
    messageInGroup: stored,
    editMessage(fields) {
      const { content = fields.message ?? '', editedAt, mentions, custom } = fields;
      changeMessage(fields, 'content', () => ({ content, editedAt, mentions, custom }), { content });
    },
    deleteMessage(fields) {
      const { deletedAt } = fields;
      const empty = { content: '', custom: null, mentions: [], reactions: [], pinned: false, deletedAt };
      changeMessage(fields, DELETED, () => empty, { content: '', deletedAt });
    },
    addReaction: (fields) => react(fields, true),
    removeReaction: (fields) => react(fields, false),
    pinMessage: (fields) => changeMessage(fields, 'pin', () => ({ pinned: true })),
    unpinMessage: (fields) => changeMessage(fields, 'pin', () => ({ pinned: false })),
    typing: inChat((fields, key, isSelf) => {
      if (!isSelf) views.get(key)?.typed(fields);
    }),
    updateProfile({ userId, username }) {
      if (username !== undefined) renamed(userId, username);
    },
    ...createChatEffects(list, inChat),
  };

  /** Changes the count of an emoji, and the reaction of this user, which is another part of the message. */
  function react(fields: Fields, own: boolean): void {
    const { emoji, count, senderId } = fields;
    changeMessage(fields, emoji, withReaction({ emoji, count }));
    if (senderId === self()) changeMessage(fields, `own ${emoji}`, withReaction({ emoji, own }));
  }

  function changeMessage(
    fields: Fields,
    part: string,
    apply: Part['apply'],
    text?: Parameters<ChatList['edited']>[2],
  ): void {
    inChat(({ seq, version }, key) => {
      views.get(key)?.change({ seq, version, part, apply });
      list.edited(key, fields, text);
    })(fields);
  }
}

/** Returns the effects on positions and settings of a chat. */
function createChatEffects(list: ChatList, inChat: InChat): Effects {
  const setting = (change: (fields: Fields) => Partial<Settings>) =>
    inChat((fields, key) => list.change(key, change(fields)));

  return {
    markRead: inChat((fields, key, isSelf) => {
      const { data } = fields;
      const seq = data?.readSeq ?? fields.seq;
      list.advance(
        key,
        isSelf ? { readSeq: seq, deliveredSeq: seq } : { otherReadSeq: seq, otherDeliveredSeq: seq },
      );
      if (data) list.counted(key, data as Counts);
      else if (isSelf) list.change(key, { markedUnread: false });
    }),
    markDelivered: inChat(({ seq }, key, isSelf) =>
      list.advance(key, isSelf ? { deliveredSeq: seq } : { otherDeliveredSeq: seq }),
    ),
    markUnread: setting(() => ({ markedUnread: true })),
    muteChat: setting(({ muted, until }) => ({
      muted,
      mutedUntil: muted && until ? new Date(until).toISOString() : null,
    })),
    pinChat: setting(({ pinned }) => ({ pinned })),
    archiveChat: setting(({ archived }) => ({ archived })),
    updateGroup: setting(({ group, data }) => ({ name: (group ?? data)?.groupName ?? '' })),
  };
}
