import type { Transaction } from 'sequelize';
import type { CommandContext } from '../commands/define.ts';
import type { Chat } from '../database/models/Chat.ts';
import { ApiError } from '../errors.ts';
import type { MessageId } from '../ids.ts';
import { assertNotBlocked } from '../users/blocks.ts';
import { type MessageRow, readLiveMessage } from './read.ts';

/** A message that is about to change. */
export interface MessageScene {
  readonly transaction: Transaction;
  /** Locked against other changes of it. */
  readonly row: MessageRow;
  readonly chat: Chat;
}

/**
 * Changes a message that the connected user may see: `work` checks and changes within the transaction, and tells
 * whether there was anything to change. What changed is found by `sync`.
 */
export async function changeMessage<Result>(
  { session: { userId }, db }: CommandContext,
  messageId: MessageId,
  work: (scene: MessageScene) => Promise<Result | undefined>,
): Promise<{ chat: Chat; row: MessageRow; result: Result | undefined }> {
  return db.transaction(async (transaction) => {
    await db.select('select from messages where id = $1 for no key update', [messageId], transaction);
    const row = await readLiveMessage(db, userId, messageId, transaction);
    const chat = await db.chats.findByPk(row.chatId, { transaction });
    if (!chat) throw new Error('a message without a chat');
    await assertNotBlocked(db, chat, userId, transaction);
    const result = await work({ transaction, row, chat });
    if (result !== undefined)
      await db.select(
        'update messages set changed_xid = pg_current_xact_id() where chat_id = $1 and seq = $2',
        [row.chatId, row.seq],
        transaction,
      );
    return { chat, row, result };
  });
}

/** What happened in a group, the server wrote: nobody takes it back. */
export function assertWrittenByUser({ kind }: MessageRow): void {
  if (kind === 'system') throw new ApiError('FORBIDDEN', 'System messages stay as they are');
}
