import type { CommandContext } from '../commands/define.ts';
import type { Chat } from '../database/models/Chat.ts';
import { isBlockBetween } from '../users/blocks.ts';
import { pushToChat } from './publish.ts';
import { addressOf } from './seats.ts';
import { pushToSelf } from './settings.ts';

/**
 * Tells how far the connected user is: in a dialog both people, unless one has blocked the other, in a group only
 * their own other connections.
 */
export async function publishReceipt(
  context: CommandContext,
  chat: Chat,
  type: string,
  seq: number,
): Promise<void> {
  const { session, db } = context;
  const isTold = chat.kind === 'dialog' && !(await isBlockBetween(db, chat));
  if (isTold) await pushToChat(context, chat, type, null, { seq });
  else await pushToSelf(context, type, { ...addressOf(chat, session.userId), seq });
}
