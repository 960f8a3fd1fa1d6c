import { createHash } from 'node:crypto';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** A static page or file. */
export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Returns the content, which is created or read on first use. */
  content(): Content;
  /** The compressed forms, smallest first. */
  readonly encodings: readonly Encoding[];
}

export interface Content {
  readonly body: Buffer;
  readonly etag: string;
}

export interface Encoding {
  /** The value of `Content-Encoding`. */
  readonly name: string;
  content(): Content;
}

/** Allows no other origins and nothing inline; a page connects to this server only. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');
/** Headers of every page made here. */
export const HTML_HEADERS = {
  'Content-Security-Policy': POLICY,
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
};
type Headers = Readonly<Record<string, string>>;

/** Returns a page whose content is created once; `encodings` are its compressed forms, if any. */
export function page(
  content: () => string | Buffer,
  type: string,
  headers: Headers = {},
  encodings: readonly Encoding[] = [],
): Page {
  return {
    status: 200,
    headers: { 'Content-Type': `${type}; charset=utf-8`, 'Cache-Control': 'no-cache', ...headers },
    content: contentOnce(content),
    encodings,
  };
}

/** Returns a function that creates a content on the first call, with its hash as entity tag. */
export function contentOnce(make: () => string | Buffer): () => Content {
  let made: Content | undefined;
  return () => {
    if (!made) {
      const body = Buffer.from(make());
      made = { body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` };
    }
    return made;
  };
}

/** Returns a page that is compressed on first use, for contents that are created while the server runs. */
export function compressedPage(content: () => string, type: string, headers: Headers = {}): Page {
  const plain = contentOnce(content);
  const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } };
  return page(() => plain().body, type, headers, [
    { name: 'br', content: contentOnce(() => brotliCompressSync(plain().body, brotli)) },
    { name: 'gzip', content: contentOnce(() => gzipSync(plain().body)) },
  ]);
}

/** Above it, brotli takes ten times as long, during which the server does nothing else. */
const BROTLI_QUALITY = 5;
