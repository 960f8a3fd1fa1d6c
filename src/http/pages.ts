import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** A file served as it is. */
export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly etag: string;
}

/** The documents and the pages that show them, by path; everything they load is served here, too. */
export async function documentPages(asyncapi: string, openapi: string): Promise<ReadonlyMap<string, Page>> {
  const packageFile = async (path: string, type: string) =>
    page(await readFile(fileURLToPath(import.meta.resolve(path))), type);
  return new Map([
    ['/', redirect('/docs/')],
    ['/asyncapi.yaml', page(asyncapi, 'application/yaml')],
    ['/openapi.yaml', page(openapi, 'application/yaml')],

    ['/docs', redirect('/docs/')],
    ['/docs/', page(asyncapiPage, 'text/html', ASYNCAPI_POLICY)],
    [
      '/docs/component.js',
      await packageFile('@asyncapi/web-component/lib/asyncapi-web-component.js', 'text/javascript'),
    ],
    [
      '/docs/component.css',
      await packageFile('@asyncapi/react-component/styles/default.min.css', 'text/css'),
    ],

    ['/api', redirect('/api/')],
    ['/api/', page(openapiPage, 'text/html', OPENAPI_POLICY)],
    ['/api/start.js', page(openapiStart, 'text/javascript')],
    ['/api/swagger-ui.js', await packageFile('swagger-ui-dist/swagger-ui-bundle.js', 'text/javascript')],
    ['/api/swagger-ui.css', await packageFile('swagger-ui-dist/swagger-ui.css', 'text/css')],
  ]);
}

function page(content: string | Buffer, type: string, headers: Readonly<Record<string, string>> = {}): Page {
  const body = Buffer.from(content);
  return {
    status: 200,
    headers: { 'Content-Type': `${type}; charset=utf-8`, 'Cache-Control': 'no-cache', ...headers },
    body,
    etag: `"${createHash('sha256').update(body).digest('base64url')}"`,
  };
}

function redirect(location: string): Page {
  return { ...page('', 'text/plain', { Location: location }), status: 302 };
}

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
${head}
</head>
<body>
${body}
</body>
</html>
`;

const asyncapiPage = html(
  'Parley: WebSocket commands',
  `<style>body { font-family: system-ui, sans-serif; margin: 0 }</style>
<script src="component.js" defer></script>`,
  `<asyncapi-component schemaUrl="/asyncapi.yaml" cssImportPath="/docs/component.css"
  config='{"show": {"sidebar": true, "errors": true}}'></asyncapi-component>`,
);

const openapiPage = html(
  'Parley: HTTP calls',
  `<link rel="stylesheet" href="swagger-ui.css">
<script src="swagger-ui.js" defer></script>
<script src="start.js" defer></script>`,
  '<div id="swagger-ui"></div>',
);

const openapiStart = `SwaggerUIBundle({ url: '/openapi.yaml', dom_id: '#swagger-ui' });\n`;
