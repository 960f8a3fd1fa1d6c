/**
 * What a user has to do with a chat, as columns for `member` (the row of chat_members) and `chat`. Unread is a difference
 * of two counters, less what was deleted since: in the stretch of 4,096 messages that the position is in by the index
 * messages_deleted_unread, in all later ones by the counts in deleted_messages. Nothing is looked up where all is read.
 */
export const stateColumns = `
case when chat.tally > member.read_tally then
  greatest(0, chat.tally - member.read_tally - (
    select count(*) from messages gone
    where gone.chat_id = chat.id and gone.seq > member.read_seq and gone.seq < ((member.read_seq >> 12) + 1) << 12
      and gone.deleted_at is not null and gone.kind = 'text' and not gone.silent
  ) - (
    select coalesce(sum(gone.count), 0) from deleted_messages gone
    where gone.chat_id = chat.id and gone.part > member.read_seq >> 12
  ))
  else 0
end as "unreadCount",
case when chat.last_seq > member.read_seq then (
  select count(*) from mentions
  where mentions.user_id = member.user_id and mentions.chat_id = chat.id and mentions.seq > member.read_seq
) else 0 end as "mentionCount",
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
