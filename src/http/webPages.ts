import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contentOnce, type Encoding, HTML_HEADERS, type Page, page } from './pages.ts';

/** The folder in which `npm run build` puts web/ and the client. */
const BUILT = fileURLToPath(new URL('../../dist/', import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.ts': 'text/plain',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};

const COMPRESSED = ['.br', '.gz'];

/** Makes browsers use TLS only, for a year (RFC 6797). */
const TLS_ONLY = { 'Strict-Transport-Security': 'max-age=31536000' };
/** For files in assets/, whose names contain a hash of their content. */
const FOREVER = { 'Cache-Control': 'public, max-age=31536000, immutable' };
/** Allows pages of other origins to import the client. */
const FOR_ALL = { 'Access-Control-Allow-Origin': '*' };

/**
 * Returns the page at `/`, the client for browsers at `/client.js` and its types at `/client.d.ts`, by path; empty if they are not built. All files
 * are read now, because a build removes files that the page of a running server refers to.
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

/** Returns the content of the served files of a folder by path. */
function filesBelow(root: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const entry of ifExists(() => readdirSync(root, { recursive: true, withFileTypes: true })) ?? []) {
    const file = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !(extname(file) in TYPES || COMPRESSED.includes(extname(file)))) continue;
    const content = ifExists(() => readFileSync(file));
    if (content) files.set(file, content);
  }
  return files;
}

/** Returns undefined for a file or folder that does not exist: not built, or removed by a build in progress. */
function ifExists<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Returns the compressed forms that the build wrote beside a file. */
function encodingsOf(file: string, files: ReadonlyMap<string, Buffer>): Encoding[] {
  const forms = [
    ['br', files.get(`${file}.br`)],
    ['gzip', files.get(`${file}.gz`)],
  ] as const;
  return forms.flatMap(([name, compressed]) =>
    compressed ? [{ name, content: contentOnce(() => compressed) }] : [],
  );
}
