import type { HttpResponse } from 'uWebSockets.js';
import { STATUS_CODES } from 'node:http';
import type { RequestHeaders } from '../net/headers.ts';
import { ApiError, errorCodes } from '../protocol/errors.ts';
import type { Encoding, Page } from './pages.ts';

export type Headers = Readonly<Record<string, string>>;

export const JSON_HEADERS = {
  'Content-Type': 'application/json; charset=utf-8',
  'Cache-Control': 'no-store',
};

/** Options of a response in addition to its content. */
export interface ResponseOptions {
  /** Sends the length of the body without the body, in answer to HEAD. */
  readonly withoutBody?: boolean;
  /** Closes the connection after the answer. */
  readonly closeConnection?: boolean;
  /** Closes the connection after the answer and discards everything received after the request. */
  readonly isLast?: boolean;
}

/**
 * Writes a complete answer; without a body if `body` is undefined. Throws if the response was already answered or
 * aborted. If writing fails halfway, it closes the connection, because nothing can follow an incomplete answer.
 */
export function respond(
  res: HttpResponse,
  status: number,
  headers: Headers,
  body?: string | Buffer,
  { withoutBody = false, closeConnection = false, isLast = false }: ResponseOptions = {},
): void {
  const hasBody = body !== undefined && !withoutBody;
  if (isLast || (closeConnection && !hasBody)) {
    // Without a body, the library cannot close the connection after the answer (uNetworking/uWebSockets#1855).
    const answer = lastAnswer(status, headers, body, withoutBody); // fails here, where the caller can catch it
    return afterReading(res, () => writeAndClose(res, answer));
  }
  // Where a client sends requests and reads no answers, the library sometimes takes an answer that is written for missing,
  // and would end the process. With a handler it closes the connection at the next request.
  res.onAborted(() => {});
  let failure: unknown;
  res.cork(() => {
    try {
      write();
    } catch (error) {
      failure = error;
    }
  });
  if (failure === undefined) return;
  res.close();
  throw failure;

  function write(): void {
    res.writeStatus(`${status} ${STATUS_CODES[status]}`);
    res.writeHeader('X-Content-Type-Options', 'nosniff');
    for (const [name, value] of Object.entries(headers)) res.writeHeader(name, value);
    if (body === undefined) res.endWithoutBody();
    else if (withoutBody) {
      res.writeHeader('Content-Length', String(Buffer.byteLength(body)));
      res.endWithoutBody(); // with a length argument it would not count as an answer (uNetworking/uWebSockets#1855)
    } else res.end(Buffer.from(body), closeConnection); // bytes: see bytesOf in Connection.ts
  }
}

/**
 * Answers after the library has parsed everything it read together with the request. If that contains another request,
 * the library finds this one unanswered and closes the connection.
 */
function afterReading(res: HttpResponse, answer: () => void): void {
  let isAborted = false;
  res.onAborted(() => {
    isAborted = true;
  });
  setImmediate(() => {
    try {
      if (!isAborted) answer();
    } catch {
      // it can no longer be written
    }
  });
}

/** Bytes of an answer that the library buffers while it parses its input. */
const CORK_BYTES = 16 * 1024;

/**
 * Refuses a request whose end cannot be determined and closes the connection, so that no bytes after it are taken for
 * another request (RFC 9112, 6.3). The answer is longer than the buffer of the library: it is written at once, and the
 * library stops parsing because the connection is closed.
 */
export function refuseUncertain(res: HttpResponse): void {
  const { code, message } = new ApiError(
    'BAD_REQUEST',
    'The headers do not determine where the request ends',
  );
  const body = JSON.stringify({ error: true, code, message }).padEnd(CORK_BYTES + 1);
  writeAndClose(res, lastAnswer(errorCodes[code].status, JSON_HEADERS, body));
}

/** Returns the last answer of a connection as bytes, from the status on, without a line break that ends it. */
function lastAnswer(status: number, headers: Headers, body?: string | Buffer, withoutBody = false): Buffer {
  const all = {
    'X-Content-Type-Options': 'nosniff',
    ...headers,
    ...(body !== undefined && { 'Content-Length': String(Buffer.byteLength(body)) }),
    Connection: 'close',
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${status} ${STATUS_CODES[status]}\r\n${lines.join('')}`;
  return body === undefined || withoutBody
    ? Buffer.from(head)
    : Buffer.concat([Buffer.from(`${head}\r\n`), Buffer.from(body)]);
}

/**
 * Writes the last answer of a connection and closes it, even if the system accepts only part of the answer. `end` of
 * the library closes only when nothing is left to write, so from a client that does not read its answers it would
 * accept more requests. `writeStatus` writes bytes unchanged, with a line break after them, and leaves the response open,
 * so that it can be closed.
 */
function writeAndClose(res: HttpResponse, answer: Buffer): void {
  res.cork(() => res.writeStatus(answer));
  res.close();
}

/** Answers with an error in the contract's shape: `{ error: true, code, message }`. */
export function respondError(
  res: HttpResponse,
  error: ApiError,
  headers: Headers = {},
  { closeConnection = false, ...options }: ResponseOptions = {},
): void {
  const { code, message, retryAfter } = error;
  const { status } = errorCodes[code];
  const all = {
    ...JSON_HEADERS,
    ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }),
    ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }),
    ...headers,
  };
  const isUnread = status === 413; // the rest of an oversized body
  const body = JSON.stringify({ error: true, code, message });
  respond(res, status, all, body, { ...options, closeConnection: closeConnection || isUnread });
}

/** Answers with a page, or with 304 if the client has its current content. The entity tag is a hash of the content. */
export function respondPage(
  res: HttpResponse,
  requestHeaders: RequestHeaders,
  page: Page,
  options: ResponseOptions,
): void {
  const encoding = acceptedEncoding(requestHeaders.get('accept-encoding'), page);
  const { body, etag } = (encoding ?? page).content();
  const headers = {
    ETag: etag,
    ...(page.encodings.length > 0 && { Vary: 'Accept-Encoding' }),
    ...(encoding && { 'Content-Encoding': encoding.name }),
    ...page.headers,
  };
  if (isKnown(etag, requestHeaders.get('if-none-match'))) respond(res, 304, headers, undefined, options);
  else respond(res, page.status, headers, body, options);
}

/**
 * Returns true if the client has the content of an entity tag, by `If-None-Match` (RFC 9110, section 13.1.2): `*`, or a
 * list, in which compressing proxies mark tags as weak.
 */
function isKnown(etag: string, condition: string): boolean {
  return condition === '*' || [...condition.matchAll(/"[^"]*"/g)].some(([tag]) => tag === etag);
}

/** Returns the encoding of a page that the client prefers; of several the smallest (RFC 9110, section 12.5.3). */
function acceptedEncoding(accepted: string, { encodings }: Page): Encoding | undefined {
  const qualities = new Map<string, number>();
  for (const entry of accepted.toLowerCase().split(',')) {
    const [name = '', quality = 'q=1'] = entry.split(';').map((part) => part.trim());
    qualities.set(name, Number(quality.replace(/^q\s*=\s*/, '')));
  }
  const qualityOf = ({ name }: Encoding) => qualities.get(name) ?? qualities.get('*') ?? 0;
  const [best] = encodings.filter((one) => qualityOf(one) > 0).sort((a, b) => qualityOf(b) - qualityOf(a));
  return best;
}

/** Returns the CORS headers of an answer; `*` in `allowed` means any origin. */
export function corsHeaders(origin: string, allowed: readonly string[]): Headers {
  if (allowed.includes('*')) return { 'Access-Control-Allow-Origin': '*' };
  return allowed.includes(origin)
    ? { 'Access-Control-Allow-Origin': origin, Vary: 'Origin' }
    : { Vary: 'Origin' };
}
