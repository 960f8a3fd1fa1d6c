import type { Static } from 'typebox';
import type { Seat } from '../chats/seats.ts';
import type { Queries } from '../database/database.ts';
import type { HistoryRow } from '../schema/messages.ts';
import { type MessageRow, messageOf, readSpan } from './read.ts';

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
  const {
    messageId: id,
    seq,
    version,
    kind,
    content,
    silent,
    custom,
    mentions,
    reactions,
    pinned,
    event,
    ...message
  } = messageOf(row);
  return {
    id,
    seq,
    version,
    kind,
    content,
    sender_id: message.senderId,
    senderName: message.senderName,
    created_at: message.createdAt,
    updated_at: message.editedAt ?? message.createdAt,
    edited_at: message.editedAt,
    deleted_at: message.deletedAt,
    reply_to: message.replyTo,
    silent,
    custom,
    mentions,
    forwarded_from: message.forwardedFrom,
    forwardedFromName: message.forwardedFromName,
    reactions,
    pinned,
    event,
  };
}
