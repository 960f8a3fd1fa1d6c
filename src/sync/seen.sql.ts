/*
 * SQL conditions on the visibility of changes to a snapshot, $2 of a statement. The parameter is a column (xid8) with
 * the transaction of the last change of a row.
 */

/** The transaction of a column was visible to the snapshot $2. One that has not begun counts as seen. */
export const seen = (xid: string): string => `(${xid} < ${floor} or ${visible(xid)} or ${xid} >= ${due})`;
/** The same for a transaction from `floor` on that has begun. */
export const visible = (xid: string): string => `pg_visible_in_snapshot(${xid}, $2::pg_snapshot)`;
/** All transactions before this one were visible, so that index scans can begin here. */
export const floor = '(select pg_snapshot_xmin($2::pg_snapshot))';
/** The first transaction that has not begun. */
export const due = '(select pg_snapshot_xmax(pg_current_snapshot()))';
/** The first transaction that may not have ended. */
export const settled = '(select pg_snapshot_xmin(pg_current_snapshot()))';

/**
 * A row of `chats` may have been written since the snapshot $2. Every message updates it, and every change of a group
 * or its members is a message, so the system column xmin suffices, without cost for writers. Ages are compared because
 * xmin has 32 bits: a wrapped-around one only appears younger.
 */
export const isTouched = `age(chats.xmin) <= (
  select case
    when pg_snapshot_xmax(pg_current_snapshot())::text::bigint - ${floor}::text::bigint < 2000000000
      then age(${floor}::xid)
    else 2147483647
  end
)`;

/** A message of a chat was visible to the snapshot $2; null if it does not exist. */
export const isSeen = (chat: string, seq: string): string =>
  `(select ${seen('xid')} from messages where chat_id = ${chat} and seq = ${seq})`;
