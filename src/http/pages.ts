import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A file served as it is. */
export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Made or read when it is first asked for. */
  content(): Content;
  /** The same compressed, best first. */
  readonly encodings: readonly Encoding[];
}

export interface Content {
  readonly body: Buffer;
  readonly etag: string;
}

export interface Encoding {
  /** As in `Content-Encoding`. */
  readonly name: string;
  content(): Content;
}

/** How to make the documents that are shown. */
export interface Documents {
  readonly asyncapi: () => string;
  readonly openapi: () => string;
}

/**
 * The documents and the pages that show them, by path; everything they load is served here, too. Each is made
 * or read when it is first asked for: together they take a tenth of a second, which no start should wait for. One
 * whose package is gone then is answered with 500, and read again the next time.
 */
export function documentPages({ asyncapi, openapi }: Documents): ReadonlyMap<string, Page> {
  return new Map([
    ['/', redirect('docs/')], // where the page is not built
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

/** A page whose content is made once; `encodings` are its compressed forms, if any. */
export function page(
  content: () => string | Buffer,
  type: string,
  headers: Headers = {},
  encodings: readonly Encoding[] = [],
): Page {
  return {
    status: 200,
    headers: { 'Content-Type': `${type}; charset=utf-8`, 'Cache-Control': 'no-cache', ...headers },
    content: madeOnce(content),
    encodings,
  };
}

/** Content that is made when it is first asked for, with a hash of it. */
export function madeOnce(make: () => string | Buffer): () => Content {
  let made: Content | undefined;
  return () => {
    if (!made) {
      const body = Buffer.from(make());
      made = { body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` };
    }
    return made;
  };
}

/** A file of a package of ours. */
function packageFile(path: string, type: string): Page {
  return page(() => readFileSync(fileURLToPath(import.meta.resolve(path))), type);
}

/** `location` is relative: behind a proxy the paths may begin with a prefix. */
function redirect(location: string): Page {
  return { ...page(() => '', 'text/plain', { Location: location }), status: 302 };
}

/** Tools on other origins may read the documents. */
const FOR_ALL = { 'Access-Control-Allow-Origin': '*' };
/** Both viewers style themselves inline; AsyncAPI's compiles schemas to functions, which counts as eval. */
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

/** Names operations as seen by a client; a reply is part of its command. */
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
