import { Type } from 'typebox';
import { stringify } from 'yaml';
import { type ErrorCode, errorCodes } from '../errors.ts';
import type { Route } from '../http/define.ts';
import { plain } from './schemas.ts';
import { VERSION } from './version.ts';

/** The OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0) of the HTTP calls, as YAML. */
export function openapiDocument(routes: readonly Route[]): string {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes)
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  return stringify(
    {
      openapi: '3.1.0',
      info: {
        title: 'Parley accounts',
        version: VERSION,
        description:
          'HTTP does accounts only. Everything else is a command over the WebSocket: see the AsyncAPI document, ' +
          '`/asyncapi.yaml`, shown at [/docs/](/docs/).',
        license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
      },
      servers: [{ url: '/' }],
      paths,
      components: {
        securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      },
    },
    { aliasDuplicateObjects: false, lineWidth: 110 },
  );
}

function operation(route: Route): object {
  const { method, path, summary, authenticated, body, success } = route;
  return {
    operationId: `${method.toLowerCase()}${path.replaceAll(/\/(\w)/g, (_, letter) => letter.toUpperCase())}`,
    summary,
    ...(authenticated && { security: [{ token: [] }] }),
    ...(body && { requestBody: { required: true, content: content(plain(body)) } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(success).map(([status, { summary: description, schema, contentType }]) => [
          status,
          { description, ...(schema && { content: content(plain(schema), contentType) }) },
        ]),
      ),
      ...errorResponses(route),
    },
  };
}

const content = (schema: object, type = 'application/json') => ({ [type]: { schema } });

/** The refusals of a route by status, with those that any route may meet. */
function errorResponses({ errors, body }: Route): Record<string, object> {
  const codes: ErrorCode[] = [
    ...errors,
    ...(body ? (['PAYLOAD_TOO_LARGE', 'UNAVAILABLE'] as const) : []),
    'INTERNAL',
  ];
  return Object.fromEntries(
    [...new Set(codes)].map((code) => {
      const { status, summary } = errorCodes[code];
      const waits = status === 429 || status === 503;
      const schema = Type.Object({
        error: Type.Literal(true),
        code: Type.Literal(code),
        message: Type.String(),
      });
      return [
        String(status),
        {
          description: summary,
          ...(waits && {
            headers: { 'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer' } } },
          }),
          content: content(plain(schema)),
        },
      ];
    }),
  );
}
