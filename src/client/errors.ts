import type { ErrorCode as ServerCode } from '../protocol/errors.ts';

/**
 * Why a call failed: a code of the server (see the documents), or one of the client's own. `CONNECTION_LOST`: the
 * connection broke before the reply to a command that must not be sent twice, and nobody knows whether it was done.
 * `CLOSED`: the client was closed. `UNAUTHORIZED` and `FORBIDDEN` also end a client whose token, or another connection of
 * which, the server refuses.
 */
export type ErrorCode = ServerCode | 'CONNECTION_LOST' | 'CLOSED';

/** Whether what was refused with this code may succeed a little later. */
export function isPassing(code: ErrorCode): boolean {
  return code === 'RATE_LIMITED' || code === 'UNAVAILABLE';
}

/** A refusal, or the end of a client. */
export class ParleyError extends Error {
  override readonly name = 'ParleyError';
  readonly code: ErrorCode;
  /** Seconds after which the same may succeed, where that is known. */
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string, retryAfter?: number) {
    super(message);
    this.code = code;
    this.retryAfter = retryAfter;
  }
}
