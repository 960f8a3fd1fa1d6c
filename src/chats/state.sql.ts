/**
 * What a user has to do with a chat, as columns for `member` (the row of chat_members) and `chat`. Unread is a
 * difference of two counters, less what was deleted since (index messages_deleted, which is small).
 */
export const stateColumns = `
greatest(0, chat.tally - member.read_tally - (
  select count(*) from messages gone
  where gone.chat_id = chat.id and gone.seq > member.read_seq and gone.deleted_at is not null
    and gone.kind = 'text' and not gone.silent
)) as "unreadCount",
(
  select count(*) from mentions
  where mentions.user_id = member.user_id and mentions.chat_id = chat.id and mentions.seq > member.read_seq
) as "mentionCount",
member.read_seq as "readSeq", member.delivered_seq as "deliveredSeq", member.marked_unread as "markedUnread",
coalesce(member.muted_until > clock_timestamp(), false) as muted,
case when member.muted_until > clock_timestamp() and member.muted_until < 'infinity' then member.muted_until end as "mutedUntil",
member.pinned_at is not null as pinned, member.archived_at is not null as archived
`;

/**
 * The positions of the other person of a dialog, as columns for `other` (the row of chat_members, none in a group). While one
 * has blocked the other, as it was when that began.
 */
export const otherColumns = `
coalesce(other.shown_read_seq, other.read_seq) as "otherReadSeq",
coalesce(other.shown_delivered_seq, other.delivered_seq) as "otherDeliveredSeq"
`;

export interface StateRow {
  readonly unreadCount: number;
  readonly mentionCount: number;
  readonly readSeq: number;
  readonly deliveredSeq: number;
  readonly markedUnread: boolean;
  readonly muted: boolean;
  readonly mutedUntil: Date | null;
  readonly pinned: boolean;
  readonly archived: boolean;
}
