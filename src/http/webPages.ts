import { readdirSync, readFileSync } from 'node:fs';
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

const COMPRESSED = ['.br', '.gz'];

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

/**
 * The page at `/` and the client for browsers at `/client.js`, by path; empty where they were not built. All is read
 * now: a build beside a running server takes the files away that its page names.
 */
export function webPages(isTls: boolean, built = BUILT): ReadonlyMap<string, Page> {
  const pages = new Map([
    ...filesIn(join(built, 'web'), isTls ? TLS_ONLY : {}),
    ...filesIn(join(built, 'browser'), FOR_ALL),
  ]);
  const index = pages.get('/index.html');
  if (index) pages.set('/', index);
  return pages;
}

function filesIn(root: string, headers = {}): [string, Page][] {
  const files = filesBelow(root);
  return [...files]
    .filter(([file]) => extname(file) in TYPES)
    .map(([file, content]) => {
      const path = `/${relative(root, file).replaceAll(sep, '/')}`;
      const type = TYPES[extname(file)] ?? '';
      const all = {
        ...headers,
        ...(type === 'text/html' && HTML_HEADERS),
        ...(path.startsWith('/assets/') && FOREVER),
      };
      return [path, page(() => content, type, all, encodingsOf(file, files))];
    });
}

/** The content of the files of a folder that are served, by their names. */
function filesBelow(root: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const entry of unlessGone(() => readdirSync(root, { recursive: true, withFileTypes: true })) ?? []) {
    const file = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !(extname(file) in TYPES || COMPRESSED.includes(extname(file)))) continue;
    const content = unlessGone(() => readFileSync(file));
    if (content) files.set(file, content);
  }
  return files;
}

/** Not built, or taken away by a build that is under way. */
function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The compressed forms that the build put beside a file. */
function encodingsOf(file: string, files: ReadonlyMap<string, Buffer>): Encoding[] {
  const forms = [
    ['br', files.get(`${file}.br`)],
    ['gzip', files.get(`${file}.gz`)],
  ] as const;
  return forms.flatMap(([name, compressed]) =>
    compressed ? [{ name, content: madeOnce(() => compressed) }] : [],
  );
}
