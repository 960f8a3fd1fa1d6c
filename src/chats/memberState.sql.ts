/**
 * Columns of the state of a user in a chat, for `member` (the row of chat_members) and `chat`. The unread count is the
 * difference of two counters minus the messages deleted later: in the range of 4,096 messages that contains the
 * position, these are counted by the index messages_deleted_unread, in all later ranges by deleted_messages. Nothing is
 * counted if everything is read.
 */
export const stateColumns = `
case when chat.tally > member.read_tally then
  greatest(0, chat.tally - member.read_tally - (
    select count(*) from messages deleted
    where deleted.chat_id = chat.id and deleted.seq > member.read_seq and deleted.seq < ((member.read_seq >> 12) + 1) << 12
      and deleted.deleted_at is not null and deleted.kind = 'text' and not deleted.silent
  ) - (
    select coalesce(sum(deleted.count), 0) from deleted_messages deleted
    where deleted.chat_id = chat.id and deleted.part > member.read_seq >> 12
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
 * Columns of the positions of the other member of a dialog, for `other` (the row of chat_members, none in a group).
 * During a block they are the frozen ones.
 */
export const otherColumns = `
coalesce(other.shown_read_seq, other.read_seq) as "otherReadSeq",
coalesce(other.shown_delivered_seq, other.delivered_seq) as "otherDeliveredSeq"
`;

/** Returns an SQL condition on a row of chat_members, which `member` names: it is of a dialog. */
const isInDialog = (member: string): string =>
  `(select kind from chats where chats.id = ${member}.chat_id) = 'dialog'`;

/**
 * Returns the assignments of an `update chat_members` for a change that concerns the user only, so that the `sync` of
 * nobody else finds it: the other person of a dialog finds changes of `state_xid`, the members of a group those of
 * `membership_xid`. `isPrivate` is a condition on the row; if it is false, the change concerns the other person, too.
 */
export const notePrivateChange = (member: string, isPrivate = 'true'): string => `
state_xid = case when ${isPrivate} and ${isInDialog(member)} then state_xid else pg_current_xact_id() end,
membership_xid = case when ${isPrivate} and ${isInDialog(member)} then pg_current_xact_id() else membership_xid end`;

/** A row of {@link stateColumns}. */
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
