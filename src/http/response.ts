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

/** Options of writing a response, beside its content. */
export interface ResponseOptions {
  /** Says how long the body is, and leaves it out: the answer to HEAD. */
  readonly withoutBody?: boolean;
  /** Closes the connection behind the answer. */
  readonly closeConnection?: boolean;
  /** Closes it, and sees to it that nothing of what has come in behind the request is answered. */
  readonly isLast?: boolean;
}

/**
 * Writes a whole answer in one go; a body of undefined is none at all. Throws when the response was answered or has
 * gone; an answer that cannot be written to its end closes the connection, for nothing else can follow half of it.
 */
export function respond(
  res: HttpResponse,
  status: number,
  headers: Headers,
  body?: string | Buffer,
  { withoutBody = false, closeConnection = false, isLast = false }: ResponseOptions = {},
): void {
  if (isLast) {
    const answer = lastAnswer(status, headers, body, withoutBody); // what cannot be made fails here: somebody catches
    return afterReading(res, () => writeAndClose(res, answer));
  }
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
      res.endWithoutBody(); // given a length, it would not count as an answer (uNetworking/uWebSockets#1855)
    } else res.end(Buffer.from(body), closeConnection); // bytes: see bytesOf in Connection.ts
  }
}

/**
 * Answers when the library has looked through everything that it read along with the request. Another request in that
 * finds this one unanswered, upon which the library closes the connection.
 */
function afterReading(res: HttpResponse, answer: () => void): void {
  let isGone = false;
  res.onAborted(() => {
    isGone = true;
  });
  setImmediate(() => {
    try {
      if (!isGone) answer();
    } catch {
      // it cannot be written any more, and respond has closed the connection
    }
  });
}

/** What the library gathers of an answer while it looks through what it read, in bytes. */
const CORK_BYTES = 16 * 1024;

/**
 * Refuses a request of which nobody can be certain where it ends, and closes the connection, so that nothing behind it
 * is taken for another request (RFC 9112, 6.3). The answer is longer than what the library gathers: it is written at
 * once, and the library looks no further for the connection is closed when it comes back to it.
 */
export function refuseUncertain(res: HttpResponse): void {
  const { code, message } = new ApiError(
    'BAD_REQUEST',
    'The headers do not say for certain where the request ends',
  );
  const body = JSON.stringify({ error: true, code, message }).padEnd(CORK_BYTES + 1);
  writeAndClose(res, lastAnswer(errorCodes[code].status, JSON_HEADERS, body));
}

/** The last answer of a connection, from the status on. */
function lastAnswer(status: number, headers: Headers, body?: string | Buffer, withoutBody = false): Buffer {
  const all = {
    'X-Content-Type-Options': 'nosniff',
    ...headers,
    ...(body !== undefined && { 'Content-Length': String(Buffer.byteLength(body)) }),
    Connection: 'close',
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = Buffer.from(`${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n`);
  return body === undefined || withoutBody ? head : Buffer.concat([head, Buffer.from(body)]);
}

/**
 * Writes the last answer of a connection, and closes it, whatever of that the system takes. `end` of the library closes
 * only where nothing is left to be written: of a client that does not read its answers it would take more requests.
 * `writeStatus` is what writes bytes as they are, and leaves the response open to be closed.
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
  options: ResponseOptions = {},
): void {
  const { code, message, retryAfter } = error;
  const { status } = errorCodes[code];
  const all = {
    ...JSON_HEADERS,
    ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }),
    ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }),
    ...headers,
  };
  // The rest of an oversized body is not worth reading.
  const closeConnection = status === 413;
  respond(res, status, all, JSON.stringify({ error: true, code, message }), { closeConnection, ...options });
}

/** Pages carry a hash of their content: a browser that has one asks, and is told that nothing changed. */
export function respondPage(
  res: HttpResponse,
  asked: RequestHeaders,
  page: Page,
  options: ResponseOptions,
): void {
  const encoding = acceptedEncoding(asked.get('accept-encoding'), page);
  const { body, etag } = (encoding ?? page).content();
  const headers = {
    ETag: etag,
    ...(page.encodings.length > 0 && { Vary: 'Accept-Encoding' }),
    ...(encoding && { 'Content-Encoding': encoding.name }),
    ...page.headers,
  };
  if (isKnown(etag, asked.get('if-none-match'))) respond(res, 304, headers, undefined, options);
  else respond(res, page.status, headers, body, options);
}

/**
 * Returns whether a client has the content of an entity tag, by `If-None-Match` (RFC 9110, section 13.1.2): a list, in
 * which proxies that compress mark tags as weak, or `*`.
 */
function isKnown(etag: string, condition: string): boolean {
  return condition === '*' || [...condition.matchAll(/"[^"]*"/g)].some(([tag]) => tag === etag);
}

/** Returns the encoding of a page that the client likes best, of several the smallest (RFC 9110, section 12.5.3). */
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

/** The CORS headers of an answer; `*` among the allowed origins is any. */
export function corsHeaders(origin: string, allowed: readonly string[]): Headers {
  if (allowed.includes('*')) return { 'Access-Control-Allow-Origin': '*' };
  return allowed.includes(origin)
    ? { 'Access-Control-Allow-Origin': origin, Vary: 'Origin' }
    : { Vary: 'Origin' };
}
