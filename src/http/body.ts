import type { HttpResponse } from 'uWebSockets.js';
import type { OwnBudget } from '../ByteBudget.ts';
import { BODY_BYTES } from '../limits.ts';
import type { Guard } from '../net/guard.ts';
import { ApiError, LimitError } from '../protocol/errors.ts';

/** A body that is being received. */
export interface Body {
  /**
   * Rejects with `PAYLOAD_TOO_LARGE`, or with `UNAVAILABLE` if the bodies of the address or of all clients exceed the
   * budget.
   */
  readonly bytes: Promise<Buffer>;
  /** Returns its bytes to the budget. */
  release(): void;
}

/**
 * Collects the bytes of a body. Must be called before the first `await` of a handler, or the first bytes are lost.
 * `signal` is aborted when the client disconnects; `budget` is the share of the client's address in the memory for
 * bodies.
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
    signal.addEventListener('abort', () => refuse(new ApiError('BAD_REQUEST', 'The client disconnected')));
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
      chunks.push(Buffer.from(new Uint8Array(chunk))); // a copy: the library reuses the chunk after this callback
      if (isLast) resolve(Buffer.concat(chunks));
    };
    res.onData(guard('http body', take, refuse));
  });
  bytes.catch(() => {}); // the handler may end first
  return {
    bytes,
    release() {
      isOver = true; // later chunks are discarded
      budget.add(-size);
    },
  };
}

/** Parses a body as JSON; refuses with `BAD_REQUEST` anything but JSON in UTF-8. */
export function parseBody(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new ApiError('BAD_REQUEST', 'body must be JSON in UTF-8');
  }
}
