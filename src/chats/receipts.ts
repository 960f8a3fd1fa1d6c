import type { CommandContext } from '../commands/define.ts';
import type { Chat } from '../database/models/Chat.ts';
import { pushToChat } from './publish.ts';
import { addressOf } from './seats.ts';
import { pushToSelf } from './settings.ts';

/** Tells how far the connected user is: in a dialog both people, in a group only their own other connections. */
export async function publishReceipt(
  context: CommandContext,
  chat: Chat,
  type: string,
  seq: number,
): Promise<void> {
  if (chat.kind === 'dialog') await pushToChat(context, chat, type, null, { seq });
  else await pushToSelf(context, type, { ...addressOf(chat, context.session.userId), seq });
}
