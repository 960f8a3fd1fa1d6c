import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ReferenceFile } from '../docs/pages/reference.ts';
import { compressedPage, HTML_HEADERS, type Page, page } from './pages.ts';

/** Generators of the documents. */
export interface Documents {
  readonly asyncapi: () => string;
  readonly openapi: () => string;
  readonly reference: readonly ReferenceFile[];
}

/**
 * Returns the documents, the pages that show them and all files these pages load, by path. Each is created or read on
 * first use, because together they would delay the start by a tenth of a second. If its package is missing then, the
 * answer is 500, and the next request tries again.
 */
export function documentPages({ asyncapi, openapi, reference }: Documents): ReadonlyMap<string, Page> {
  return new Map<string, Page>([
    ['/', redirect('docs/')], // if the page is not built
    ['/asyncapi.yaml', page(asyncapi, 'application/yaml', FOR_ALL)],
    ['/openapi.yaml', page(openapi, 'application/yaml', FOR_ALL)],

    ['/docs', redirect('docs/')],
    ...reference.map(({ path, type, content }): [string, Page] => [
      `/docs/${path}`,
      compressedPage(content, type, type === 'text/html' ? HTML_HEADERS : {}),
    ]),

    ['/api', redirect('api/')],
    ['/api/', page(() => openapiPage, 'text/html', OPENAPI_POLICY)],
    ['/api/start.js', page(() => openapiStart, 'text/javascript')],
    ['/api/swagger-ui.js', packageFile('swagger-ui-dist/swagger-ui-bundle.js', 'text/javascript')],
    ['/api/swagger-ui.css', packageFile('swagger-ui-dist/swagger-ui.css', 'text/css')],
  ]);
}

/** Returns a file of a dependency as a page. */
function packageFile(path: string, type: string): Page {
  return page(() => readFileSync(fileURLToPath(import.meta.resolve(path))), type);
}

/** Returns a redirect. `location` is relative, because behind a proxy the paths may have a prefix. */
function redirect(location: string): Page {
  return { ...page(() => '', 'text/plain', { Location: location }), status: 302 };
}

/** Allows tools on other origins to read the documents. */
const FOR_ALL = { 'Access-Control-Allow-Origin': '*' };
/** The viewer of OpenAPI uses inline styles. */
const OPENAPI_POLICY = {
  'Content-Security-Policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
};

const openapiPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Parley: HTTP calls</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="swagger-ui.css">
<script src="swagger-ui.js" defer></script>
<script src="start.js" defer></script>
</head>
<body>
<div id="swagger-ui"></div>
</body>
</html>
`;

const openapiStart = `SwaggerUIBundle({ url: '../openapi.yaml', dom_id: '#swagger-ui', validatorUrl: null });\n`;
