/*
 * What a snapshot, $2 of a statement, has seen: a transaction in a column that holds the last change of a row (xid8).
 */

/** True if the transaction in a column was visible to the snapshot $2; one that is not due yet counts as seen. */
export const seen = (xid: string): string => `(${xid} < ${floor} or ${visible(xid)} or ${xid} >= ${due})`;
/** The same where the transaction is from `floor` on and due. */
export const visible = (xid: string): string => `pg_visible_in_snapshot(${xid}, $2::pg_snapshot)`;
/** No older transaction was missed: lets the indexes by transactions begin where it matters. */
export const floor = '(select pg_snapshot_xmin($2::pg_snapshot))';
/** This transaction and later ones have not begun. */
export const due = '(select pg_snapshot_xmax(pg_current_snapshot()))';
/** Every transaction before this one has ended. */
export const settled = '(select pg_snapshot_xmin(pg_current_snapshot()))';

/**
 * True of a row of `chats` that may have been written since the snapshot $2. Every message is counted there, and every
 * change of the group or its members is a message: so what PostgreSQL keeps for itself says it, at no cost for who
 * writes. As ages, for xmin has 32 bits: one that is so old that its number was given again only seems younger.
 */
export const isTouched = `age(chats.xmin) <= (
  select case
    when pg_snapshot_xmax(pg_current_snapshot())::text::bigint - ${floor}::text::bigint < 2000000000
      then age(${floor}::xid)
    else 2147483647
  end
)`;

/** True if a message of a chat was visible to the snapshot $2; null where there is none. */
export const isSeen = (chat: string, seq: string): string =>
  `(select ${seen('xid')} from messages where chat_id = ${chat} and seq = ${seq})`;
