import { posix } from 'node:path';
import type { ReferenceFile } from '../docs/pages/reference.ts';
import { compressedPage, HTML_HEADERS, type Page, page } from './pages.ts';

/** Generators of the documents. */
export interface Documents {
  readonly asyncapi: () => string;
  readonly asyncapiService: () => string;
  readonly openapi: () => string;
  readonly reference: readonly ReferenceFile[];
}

/**
 * Returns the documents, the pages that show them and all files these pages load, by path. Each is created on first use,
 * because together they would delay the start by a tenth of a second.
 */
export function documentPages({
  asyncapi,
  asyncapiService,
  openapi,
  reference,
}: Documents): ReadonlyMap<string, Page> {
  return new Map<string, Page>([
    ['/', redirect('docs/')], // if the page is not built
    ['/asyncapi.yaml', page(asyncapi, 'application/yaml', FOR_ALL)],
    ['/asyncapi-service.yaml', page(asyncapiService, 'application/yaml', FOR_ALL)],
    ['/openapi.yaml', page(openapi, 'application/yaml', FOR_ALL)],

    ['/docs', redirect('docs/')],
    ...reference.map(({ path, type, content }): [string, Page] => [
      posix.join('/docs', path || '/'), // the page at /api/ belongs to the reference
      compressedPage(content, type, type === 'text/html' ? HTML_HEADERS : {}),
    ]),

    ['/api', redirect('api/')],
  ]);
}

/** Returns a redirect. `location` is relative, because behind a proxy the paths may have a prefix. */
function redirect(location: string): Page {
  return { ...page(() => '', 'text/plain', { Location: location }), status: 302 };
}

/** Allows tools on other origins to read the documents. */
const FOR_ALL = { 'Access-Control-Allow-Origin': '*' };
