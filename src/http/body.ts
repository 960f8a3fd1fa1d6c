import type { HttpResponse } from 'uWebSockets.js';
import type { OwnBudget } from '../ByteBudget.ts';
import { BODY_BYTES } from '../limits.ts';
import type { Guard } from '../net/guard.ts';
import { ApiError, LimitError } from '../protocol/errors.ts';

/** A body on its way. */
export interface Body {
  /** Rejects with `PAYLOAD_TOO_LARGE`, or with `UNAVAILABLE` where the bodies of its address, or all together, are too many. */
  readonly bytes: Promise<Buffer>;
  /** Gives back its part of the budget. */
  release(): void;
}

/**
 * Collects the bytes of a body. To be called before the first await of a handler, or the first bytes are missed.
 * `signal` tells that the client went away; `budget` is the share of the client's address in what is
 * kept of all bodies.
 */
export function collectBody(res: HttpResponse, signal: AbortSignal, budget: OwnBudget, guard: Guard): Body {
  let size = 0;
  let isOver = false;
  const bytes = new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    const refuse = (error: unknown) => {
      isOver = true;
      chunks.length = 0;
      reject(error);
    };
    signal.addEventListener('abort', () => refuse(new ApiError('BAD_REQUEST', 'The client went away')));
    const take = (chunk: ArrayBuffer, isLast: boolean) => {
      if (isOver) return;
      if (size + chunk.byteLength > BODY_BYTES)
        return refuse(new ApiError('PAYLOAD_TOO_LARGE', `body must have at most ${BODY_BYTES} bytes`));
      if (!budget.fits(chunk.byteLength))
        return refuse(
          new LimitError('memory', 'UNAVAILABLE', 'The server is overloaded; retry in a moment', 1),
        );
      size += chunk.byteLength;
      budget.add(chunk.byteLength);
      chunks.push(Buffer.from(new Uint8Array(chunk))); // a copy: the chunk is gone when we return
      if (isLast) resolve(Buffer.concat(chunks));
    };
    res.onData(guard('http body', take, refuse));
  });
  bytes.catch(() => {}); // the handler may be done before it is
  return {
    bytes,
    release() {
      isOver = true; // what still comes is not kept
      budget.add(-size);
    },
  };
}

/** Reads a body as JSON; refuses with `BAD_REQUEST` what is not JSON in UTF-8. */
export function parseBody(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new ApiError('BAD_REQUEST', 'body must be JSON in UTF-8');
  }
}
