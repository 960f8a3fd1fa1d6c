import type { ServerErrorCode } from './commands.ts';

/**
 * The reason of a failed call: a {@link ServerErrorCode}, or one of the client. `CONNECTION_LOST`:
 * the connection broke before the reply to a command that must not be sent twice, so its outcome is unknown. `CLOSED`: the
 * client was closed. A client closes by itself with `UNAUTHORIZED` if the server refuses its token, and with `FORBIDDEN`
 * after a close code that forbids to reconnect.
 */
export type ErrorCode = ServerErrorCode | 'CONNECTION_LOST' | 'CLOSED';

/** Returns true if a request that was refused with this code may succeed a little later. */
export function isPassing(code: ErrorCode): boolean {
  return code === 'RATE_LIMITED' || code === 'UNAVAILABLE';
}

/** The error of a refused call, or of a client that is closed. */
export class ParleyError extends Error {
  override readonly name = 'ParleyError';
  readonly code: ErrorCode;
  /** Seconds after which the same request may succeed; undefined if they are unknown. */
  readonly retryAfter: number | undefined;
  /** The current `seq` of the chat, if a message was refused because of its `ifSeq`. */
  readonly seq: number | undefined;

  constructor(code: ErrorCode, message: string, retryAfter?: number, seq?: number) {
    super(message);
    this.code = code;
    this.retryAfter = retryAfter;
    this.seq = seq;
  }
}
