import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { STATUS_CODES } from 'node:http';
import { type ApiError, errorCodes } from '../errors.ts';
import type { Encoding, Page } from './pages.ts';

export type Headers = Readonly<Record<string, string>>;

export const JSON_HEADERS = {
  'Content-Type': 'application/json; charset=utf-8',
  'Cache-Control': 'no-store',
};

/**
 * Writes a whole answer in one go; a body of undefined is none at all. Throws when the response was answered or has
 * gone; an answer that cannot be written to its end closes the connection, for nothing else can follow half of it.
 */
export function respond(
  res: HttpResponse,
  status: number,
  headers: Headers,
  body?: string | Buffer,
  { withoutBody = false, closeConnection = false } = {},
): void {
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

/** Answers with an error in the contract's shape: `{ error: true, code, message }`. */
export function respondError(
  res: HttpResponse,
  error: ApiError,
  headers: Headers = {},
  withoutBody = false,
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
  respond(res, status, all, JSON.stringify({ error: true, code, message }), {
    withoutBody,
    closeConnection,
  });
}

/** Pages carry a hash of their content: a browser that has one asks, and is told that nothing changed. */
export function respondPage(res: HttpResponse, req: HttpRequest, page: Page, withoutBody: boolean): void {
  const encoding = acceptedEncoding(req.getHeader('accept-encoding'), page);
  const { body, etag } = (encoding ?? page).content();
  const headers = {
    ETag: etag,
    ...(page.encodings.length > 0 && { Vary: 'Accept-Encoding' }),
    ...(encoding && { 'Content-Encoding': encoding.name }),
    ...page.headers,
  };
  if (req.getHeader('if-none-match') === etag) respond(res, 304, headers);
  else respond(res, page.status, headers, body, { withoutBody });
}

/** The best of the page's encodings that the client takes (RFC 9110, section 12.5.3). */
function acceptedEncoding(accepted: string, { encodings }: Page): Encoding | undefined {
  const names = accepted
    .split(',')
    .map((entry) =>
      entry
        .toLowerCase()
        .split(';')
        .map((part) => part.trim()),
    )
    .filter(([, quality]) => !/^q=0(\.0*)?$/.test(quality ?? ''))
    .map(([name]) => name);
  return encodings.find(({ name }) => names.includes(name));
}

/** The CORS headers of an answer; `*` among the allowed origins is any. */
export function corsHeaders(origin: string, allowed: readonly string[]): Headers {
  if (allowed.includes('*')) return { 'Access-Control-Allow-Origin': '*' };
  return allowed.includes(origin)
    ? { 'Access-Control-Allow-Origin': origin, Vary: 'Origin' }
    : { Vary: 'Origin' };
}
