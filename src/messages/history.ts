import { Op } from 'sequelize';
import type { Database } from '../database/database.ts';
import type { Chat } from '../database/models/Chat.ts';
import type { Message } from '../database/models/Message.ts';

export const DEFAULT_LIMIT = 20;

/**
 * A page of a chat, newest first, each message with its sender. The page is a span of `seq`, read from the
 * primary key: the thousandth costs what the first does.
 */
export async function readPage(
  db: Database,
  chat: Chat,
  limit = DEFAULT_LIMIT,
  page = 1,
): Promise<Message[]> {
  const newest = chat.lastSeq - (page - 1) * limit;
  if (newest < 1) return [];
  return db.messages.findAll({
    where: { chatId: chat.id, seq: { [Op.between]: [Math.max(1, newest - limit + 1), newest] } },
    include: [{ model: db.users, as: 'sender', attributes: ['username'] }],
    order: [['seq', 'desc']],
    raw: true,
    nest: true,
  });
}

/** What every row of a history page has, in the spelling of the contract. */
export function historyRow(message: Message) {
  return {
    id: message.id,
    seq: message.seq,
    kind: message.kind,
    content: message.content,
    sender_id: message.senderId,
    created_at: message.createdAt.toISOString(),
    updated_at: (message.editedAt ?? message.createdAt).toISOString(),
    deleted_at: message.deletedAt?.toISOString() ?? null,
  };
}
