import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Encoding, madeOnce, type Page, page } from './pages.ts';

/** What `npm run build` makes of web/ and of the client. */
const BUILT = fileURLToPath(new URL('../../dist/', import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};

/** Nothing from elsewhere, nothing inline; the page talks to this server only. */
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
const HTML_HEADERS = {
  'Content-Security-Policy': POLICY,
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
};
/** Browsers come by TLS only for a year (RFC 6797). */
const TLS_ONLY = { 'Strict-Transport-Security': 'max-age=31536000' };
/** Files in assets/ have a hash of their content in their name. */
const FOREVER = { 'Cache-Control': 'public, max-age=31536000, immutable' };
/** Pages of other origins may import the client. */
const FOR_ALL = { 'Access-Control-Allow-Origin': '*' };

/** The page at `/` and the client for browsers at `/client.js`, by path; empty where they were not built. */
export function webPages(isTls: boolean): ReadonlyMap<string, Page> {
  const pages = new Map([...filesIn('web', isTls ? TLS_ONLY : {}), ...filesIn('browser', FOR_ALL)]);
  const index = pages.get('/index.html');
  if (index) pages.set('/', index);
  return pages;
}

function filesIn(folder: string, headers = {}): [string, Page][] {
  const root = join(BUILT, folder);
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extname(entry.name) in TYPES)
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      const path = `/${relative(root, file).replaceAll(sep, '/')}`;
      const type = TYPES[extname(file)] ?? '';
      const all = {
        ...headers,
        ...(type === 'text/html' && HTML_HEADERS),
        ...(path.startsWith('/assets/') && FOREVER),
      };
      return [path, page(() => readFileSync(file), type, all, encodingsOf(file))];
    });
}

/** The compressed forms that the build put beside a file. */
function encodingsOf(file: string): Encoding[] {
  const forms = [
    ['br', `${file}.br`],
    ['gzip', `${file}.gz`],
  ] as const;
  return forms
    .filter(([, compressed]) => existsSync(compressed))
    .map(([name, compressed]) => ({ name, content: madeOnce(() => readFileSync(compressed)) }));
}
