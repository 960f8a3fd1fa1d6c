import type { PushContext } from '../bus/bus.ts';
import { chatTopic, userTopic } from '../bus/topics.ts';
import type { UserId } from '../ids.ts';
import { encodePush, type Fields } from '../protocol/frames.ts';
import type { ActingUser } from '../users/actingUser.ts';
import { otherIn } from '../users/pairs.ts';
import { addressOf, type MembershipChat, type NamedChat } from './membership.ts';

/** What the connected user did in a chat, without a place of its own there. */
export interface ChatPush {
  /** The command. */
  readonly type: string;
  /** Username of who did it, read before the commit: no query stands between a commit and its push. */
  readonly senderName: string;
  readonly message?: string | null;
  /** Stand beside `senderId` and `receiverId` or `groupId`. */
  readonly fields: Fields;
  /** Which message it is about; `head` where it is newer than the chat. */
  readonly about?: Partial<PushContext>;
  /** Users who do not get it though they are in the chat. */
  readonly exceptUsers?: readonly UserId[];
  /** It is of no use later. */
  readonly isPassing?: true;
}

type Pusher = Pick<ActingUser, 'session' | 'origin' | 'bus'>;
type PushedChat = NamedChat & Pick<MembershipChat, 'lastSeq'>;

/** Publishes a push to everybody in a chat but the connection the command came from. */
export function pushToChat(user: Pusher, chat: PushedChat, push: ChatPush): void {
  const { session, origin, bus } = user;
  const { exceptUsers, isPassing } = push;
  const published = {
    frame: encode(user, chat, push),
    except: origin,
    ...(exceptUsers && { exceptUsers }),
    about: { chatId: chat.id, head: chat.lastSeq, ...push.about },
    ...(isPassing && { isPassing }),
  };
  if (chat.kind === 'group') return bus.publish(chatTopic(chat.id), published);
  bus.publish(userTopic(session.userId), published);
  const other = otherIn(chat, session.userId);
  if (other !== session.userId) bus.publish(userTopic(other), published);
}

/**
 * Publishes a push about a chat to the other connections of the connected user. Messages of a dialog have the same
 * topic, so that it comes after them; those of a group do not.
 */
export function pushToSelf(user: Pusher, chat: PushedChat, push: ChatPush): void {
  const { session, origin, bus } = user;
  bus.publish(userTopic(session.userId), {
    frame: encode(user, chat, push),
    except: origin,
    about: chat.kind === 'dialog' ? { chatId: chat.id, head: chat.lastSeq } : undefined,
  });
}

function encode({ session: { userId } }: Pusher, chat: PushedChat, push: ChatPush): string {
  const { type, senderName, message = null, fields } = push;
  return encodePush(type, message, senderName, { senderId: userId, ...addressOf(chat, userId), ...fields });
}
