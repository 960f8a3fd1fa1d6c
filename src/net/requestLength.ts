import type { RequestHeaders } from './headers.ts';

/** Certainty of where a request ends: see {@link framingOf}. */
export type Framing = 'certain' | 'chunked' | 'uncertain';

/**
 * Returns whether the library and everybody else see the end of a request at the same place (RFC 9112, 6.3). Where they
 * may not, what one of them takes for the body the other takes for a request (request smuggling):
 * - `uncertain`: several `Content-Length`, one that is no number, one beside a `Transfer-Encoding`, a coding other than
 *   `chunked`, or several `Host`. The library reads the first line of each and believes an empty one to be missing.
 * - `chunked`: the library checks neither the ends of lines and chunks nor the trailer.
 */
export function framingOf(headers: RequestHeaders): Framing {
  const [length, ...lengths] = headers.lines('content-length');
  const [coding, ...codings] = headers.lines('transfer-encoding');
  if (lengths.length > 0 || codings.length > 0 || headers.lines('host').length > 1) return 'uncertain';
  if (coding === undefined) return length === undefined || /^\d+$/.test(length) ? 'certain' : 'uncertain';
  return coding.toLowerCase() === 'chunked' && length === undefined ? 'chunked' : 'uncertain';
}
