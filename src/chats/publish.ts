import type { PushContext } from '../bus/bus.ts';
import { chatTopic, userTopic } from '../bus/topics.ts';
import type { UserId } from '../ids.ts';
import { encodePush, type Fields } from '../protocol/frames.ts';
import type { ActingUser } from '../users/actingUser.ts';
import { otherIn } from '../users/pairs.ts';
import { addressOf, type MembershipChat, type NamedChat } from './membership.ts';

/** A push about an action of the connected user in a chat that has no `seq` of its own. */
export interface ChatPush {
  /** The type of the command. */
  readonly type: string;
  /** Username of the acting user, read before the commit, so that no query delays the push. */
  readonly senderName: string;
  readonly message?: string | null;
  /** Fields in addition to `senderId` and `receiverId` or `groupId`. */
  readonly fields: Fields;
  /** The message that it is about; `head` if it is newer than the chat. */
  readonly about?: Partial<PushContext>;
  /** Members of the chat who do not receive it. */
  readonly exceptUsers?: readonly UserId[];
  /** True if it is transient and never delivered late. */
  readonly isTransient?: true;
}

type Pusher = Pick<ActingUser, 'session' | 'origin' | 'bus'>;
type PushedChat = NamedChat & Pick<MembershipChat, 'lastSeq'>;

/** Publishes a push to all members of a chat except the connection of the command. */
export function pushToChat(user: Pusher, chat: PushedChat, push: ChatPush): void {
  const { session, origin, bus } = user;
  const { exceptUsers, isTransient } = push;
  const published = {
    frame: encode(user, chat, push),
    except: origin,
    ...(exceptUsers && { exceptUsers }),
    about: { chatId: chat.id, head: chat.lastSeq, ...push.about },
    ...(isTransient && { isTransient }),
  };
  if (chat.kind === 'group') return bus.publish(chatTopic(chat.id), published);
  bus.publish(userTopic(session.userId), published);
  const other = otherIn(chat, session.userId);
  if (other !== session.userId) bus.publish(userTopic(other), published);
}

/**
 * Publishes a push about a chat to the other connections of the connected user. It is ordered after the messages of a
 * dialog, which use the same topic, but not after those of a group.
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
