import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

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

/** Generators of the documents. */
export interface Documents {
  readonly asyncapi: () => string;
  readonly openapi: () => string;
}

/**
 * Returns the documents, the pages that show them and all files these pages load, by path. Each is created or read on
 * first use, because together they would delay the start by a tenth of a second. If its package is missing then, the
 * answer is 500, and the next request tries again.
 */
export function documentPages({ asyncapi, openapi }: Documents): ReadonlyMap<string, Page> {
  return new Map([
    ['/', redirect('docs/')], // if the page is not built
    ['/asyncapi.yaml', page(asyncapi, 'application/yaml', FOR_ALL)],
    ['/openapi.yaml', page(openapi, 'application/yaml', FOR_ALL)],

    ['/docs', redirect('docs/')],
    ['/docs/', page(() => asyncapiPage, 'text/html', ASYNCAPI_POLICY)],
    [
      '/docs/component.js',
      packageFile('@asyncapi/web-component/lib/asyncapi-web-component.js', 'text/javascript'),
    ],
    ['/docs/component.css', packageFile('@asyncapi/react-component/styles/default.min.css', 'text/css')],

    ['/api', redirect('api/')],
    ['/api/', page(() => openapiPage, 'text/html', OPENAPI_POLICY)],
    ['/api/start.js', page(() => openapiStart, 'text/javascript')],
    ['/api/swagger-ui.js', packageFile('swagger-ui-dist/swagger-ui-bundle.js', 'text/javascript')],
    ['/api/swagger-ui.css', packageFile('swagger-ui-dist/swagger-ui.css', 'text/css')],
  ]);
}

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
/** Both viewers use inline styles; that of AsyncAPI compiles schemas to functions, which needs `unsafe-eval`. */
const POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";
const OPENAPI_POLICY = { 'Content-Security-Policy': POLICY };
const ASYNCAPI_POLICY = { 'Content-Security-Policy': `${POLICY}; script-src 'self' 'unsafe-eval'` };

const html = (title: string, head: string, body: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
${head}
</head>
<body>
${body}
</body>
</html>
`;

/** Labels operations from the view of a client; a reply is part of its command. */
const asyncapiConfig = {
  show: { sidebar: true, errors: true, schemas: false },
  expand: { messageExamples: true },
  replyLabel: 'command',
  sendLabel: 'push',
};

const asyncapiPage = html(
  'Parley: WebSocket commands',
  `<style>body { font-family: system-ui, sans-serif; margin: 0 }</style>
<script src="component.js" defer></script>`,
  `<asyncapi-component schemaUrl="../asyncapi.yaml" cssImportPath="component.css"
  config='${JSON.stringify(asyncapiConfig)}'></asyncapi-component>`,
);

const openapiPage = html(
  'Parley: HTTP calls',
  `<link rel="stylesheet" href="swagger-ui.css">
<script src="swagger-ui.js" defer></script>
<script src="start.js" defer></script>`,
  '<div id="swagger-ui"></div>',
);

const openapiStart = `SwaggerUIBundle({ url: '../openapi.yaml', dom_id: '#swagger-ui', validatorUrl: null });\n`;
