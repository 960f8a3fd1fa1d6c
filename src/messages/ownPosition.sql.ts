/**
 * Returns an `update` without `from` and `where` that moves the positions of a sender to their message, because senders
 * have read what was before. The parameters are SQL expressions for the columns of the message.
 */
export const moveOwnPosition = (seq: string, tally: string, createdAt: string): string => `
  update chat_members
  set read_seq = ${seq}, delivered_seq = ${seq}, read_tally = ${tally}, marked_unread = false,
    last_sent_at = ${createdAt}, state_xid = pg_current_xact_id(),
    shown_read_seq = case when shown_read_seq is not null then ${seq} end,
    shown_delivered_seq = case when shown_delivered_seq is not null then ${seq} end`;
