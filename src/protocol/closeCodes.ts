/** Why the server closes a socket: RFC 6455 section 7.4.1, and our own from 4000 on. */
export const CloseCode = {
  /** The server is stopping: connect again. */
  GoingAway: 1001,
  /** The server makes way for others: connect again, to another node. */
  ServiceRestart: 1012,
  /** A frame over the size limit. */
  TooBig: 1009,
  /** A fault of the server: connect again. */
  InternalError: 1011,
  /** The token has expired or was revoked: log in again. */
  Unauthorized: 4401,
  /** More unanswered frames than any client needs. */
  TooManyRequests: 4429,
} as const;

export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];
