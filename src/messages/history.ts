import type { Static } from 'typebox';
import type { Seat } from '../chats/seats.ts';
import type { Queries } from '../database/database.ts';
import type { HistoryRow } from '../schema/messages.ts';
import { customOf, eventOf, type MessageRow, reactionsOf, readSpan } from './read.ts';

export const DEFAULT_LIMIT = 20;

/**
 * A page of a chat, newest first. The page is a span of `seq`, read from the primary key: the thousandth costs
 * what the first does.
 */
export async function readPage(
  db: Queries,
  seat: Seat,
  limit = DEFAULT_LIMIT,
  page = 1,
): Promise<MessageRow[]> {
  const newest = seat.chat.lastSeq - (page - 1) * limit;
  return readSpan(db, seat, newest - limit + 1, newest);
}

/** What every row of a history page has, in the spelling of the contract. */
export function historyRow(row: MessageRow): Static<typeof HistoryRow> {
  const createdAt = row.createdAt.toISOString();
  const editedAt = row.editedAt?.toISOString() ?? null;
  return {
    id: row.messageId,
    seq: row.seq,
    version: row.version,
    kind: row.kind,
    content: row.content,
    sender_id: row.senderId,
    senderName: row.senderName,
    created_at: createdAt,
    updated_at: editedAt ?? createdAt,
    edited_at: editedAt,
    deleted_at: row.deletedAt?.toISOString() ?? null,
    reply_to: row.replyTo,
    silent: row.silent,
    custom: customOf(row),
    mentions: row.mentions ?? [],
    forwarded_from: row.forwardedFrom,
    forwardedFromName: row.forwardedFromName,
    reactions: reactionsOf(row),
    pinned: row.pinned,
    event: eventOf(row),
  };
}
