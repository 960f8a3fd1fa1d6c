import type { HttpResponse } from 'uWebSockets.js';
import { ApiError } from '../errors.ts';
import { BODY_BYTES } from '../limits.ts';

/**
 * Collects the bytes of a body; rejects with `PAYLOAD_TOO_LARGE`. To be called before the first await of a
 * handler, or the first bytes are missed. `signal` tells that the client went away.
 */
export function collectBody(res: HttpResponse, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    signal.addEventListener('abort', () => reject(new ApiError('BAD_REQUEST', 'The client went away')));
    res.onData((chunk, isLast) => {
      size += chunk.byteLength;
      if (size > BODY_BYTES)
        return reject(new ApiError('PAYLOAD_TOO_LARGE', `body must have at most ${BODY_BYTES} bytes`));
      chunks.push(Buffer.from(new Uint8Array(chunk))); // a copy: the chunk is gone when we return
      if (isLast) resolve(Buffer.concat(chunks));
    });
  });
}

/** Reads a body as JSON; refuses with `BAD_REQUEST` what is not JSON in UTF-8. */
export function parseBody(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new ApiError('BAD_REQUEST', 'body must be JSON in UTF-8');
  }
}
