/** Closes the socket of a token that has expired or was revoked. */
export const UNAUTHORIZED = 4401;

/**
 * Close codes of the server: RFC 6455, section 7.4.1, and codes of Parley from 4000 on. A new one is taken from a range
 * that {@link mayReconnect} knows: 4100 to 4399 if clients are to connect again, 4500 to 4999 if they are not.
 */
export const CloseCode = {
  /** The node has stopped: connect again. */
  GoingAway: 1001,
  /** A frame over the size limit. */
  TooBig: 1009,
  /** A fault of the server: connect again. */
  InternalError: 1011,
  /**
   * The node drains its connections before it stops, or cannot push all that was missed: connect again, possibly to
   * another node, and synchronise.
   */
  ServiceRestart: 1012,
  /** The token has expired or was revoked: log in again, then connect. */
  Unauthorized: UNAUTHORIZED,
  /** More unanswered frames than any client needs: connect again. */
  TooManyRequests: 4429,
} as const;

export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/**
 * Returns true if a client may connect again after its connection was closed with a code, known to it or not: always
 * except after 4401 without a fresh token, and after 4500 to 4999.
 */
export function mayReconnect(code: number, hasFreshToken: boolean): boolean {
  return code === UNAUTHORIZED ? hasFreshToken : code < 4500 || code > 4999;
}
