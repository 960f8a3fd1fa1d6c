/**
 * Moves the position of a sender in the chat to a message, an `update` without its `from` and `where`: who writes has read
 * what was before. Takes expressions for the place of the message.
 */
export const moveOwnPosition = (seq: string, tally: string, createdAt: string): string => `
  update chat_members
  set read_seq = ${seq}, delivered_seq = ${seq}, read_tally = ${tally}, marked_unread = false,
    last_sent_at = ${createdAt}, state_xid = pg_current_xact_id(),
    shown_read_seq = case when shown_read_seq is not null then ${seq} end,
    shown_delivered_seq = case when shown_delivered_seq is not null then ${seq} end`;
