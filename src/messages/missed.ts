import type { ReadPush } from '../bus/ordered.ts';
import type { Database } from '../database/database.ts';
import type { ChatId } from '../ids.ts';
import { encodePush } from '../socket/frames.ts';
import { chatOf, type MessageRow, selectMessages } from './read.ts';

const span = `${selectMessages}
where message.chat_id = $2 and message.seq between $3 and $4
order by message.seq
`;

/** The messages of a chat from one `seq` to another as they were pushed, or would have been, lowest first. */
export async function readMissed(
  db: Database,
  chatId: ChatId,
  from: number,
  to: number,
): Promise<readonly ReadPush[]> {
  const nobody = 0; // whose own reactions are not asked for
  const rows = await db.select<MessageRow>(span, [nobody, chatId, from, to]);
  return rows.map((row) => ({ seq: row.seq, frame: pushOf(row) }));
}

function pushOf(row: MessageRow): string {
  const { messageId, seq, kind, senderId, senderName, content, createdAt } = row;
  const place = { messageId, seq, createdAt: createdAt.toISOString(), senderId, ...chatOf(row) };
  if (kind === 'system') {
    const { type, ...fields } = (row.custom ?? {}) as { type: string };
    return encodePush(type, content, senderName, { ...place, ...fields });
  }
  const extras = {
    replyTo: row.replyTo ?? undefined,
    silent: row.silent || undefined,
    custom: row.custom ?? undefined,
    mentions: row.mentions ?? undefined,
    forwardedFrom: row.forwardedFrom ?? undefined,
  };
  const type = row.isGroup ? 'messageInGroup' : 'privateMessage';
  return encodePush(type, content, senderName, { ...place, ...extras });
}
