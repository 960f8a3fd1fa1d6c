import type { CommandContext } from '../commands/define.ts';
import type { Chat } from '../database/models/Chat.ts';
import type { UserId } from '../ids.ts';
import { chatTopic, userTopic } from '../socket/Connections.ts';
import { encodePush, type Fields } from '../socket/frames.ts';
import { nameOf } from '../users/names.ts';
import { activeUser } from '../users/users.ts';
import { addressOf, otherIn } from './seats.ts';

interface Audience {
  /** Users who do not get it though they are in the chat. */
  readonly exceptUsers?: readonly UserId[];
  /** It is of no use later. */
  readonly isPassing?: true;
}

/**
 * Pushes what the connected user did in a chat to all others who may see it: `type` is that of the command,
 * `senderId` and `receiverId` or `groupId` stand beside the fields.
 */
export async function pushToChat(
  context: CommandContext,
  chat: Chat,
  type: string,
  message: string | null,
  fields: Fields,
  audience?: Audience,
): Promise<void> {
  const { session, db } = context;
  const sender = await activeUser(db, session.userId);
  const all = { senderId: session.userId, ...addressOf(chat, session.userId), ...fields };
  publishToChat(context, chat, encodePush(type, message, nameOf(sender), all), audience);
}

/** Publishes a frame to everybody in a chat but the connection the command came from. */
export function publishToChat(
  { session: { userId }, origin, bus }: CommandContext,
  chat: Chat,
  frame: string,
  audience?: Audience,
): void {
  const push = { frame, except: origin, ...audience };
  if (chat.kind === 'group') return bus.publish(chatTopic(chat.id), push);
  bus.publish(userTopic(userId), push);
  const other = otherIn(chat, userId);
  if (other !== userId) bus.publish(userTopic(other), push);
}
