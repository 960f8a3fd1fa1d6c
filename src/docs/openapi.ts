import { type TObject, type TSchema, Type } from 'typebox';
import { type ErrorCode, errorCodes } from '../protocol/errors.ts';
import { VERSION } from '../version.ts';
import type { Examples, RecordedCall } from './examples.ts';
import { type Components, createComponents, errorCode, errorMessage } from './schemas.ts';
import { yamlOf } from './yaml.ts';

/** An HTTP call, as its document describes it. */
export interface RouteDescription {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly summary: string;
  readonly authenticated?: boolean;
  readonly body: TObject | undefined;
  /** Success by status: the schema of the answer, or null for an empty one. */
  readonly success: Readonly<
    Record<number, { summary: string; schema: TSchema | null; contentType?: string }>
  >;
  readonly errors: readonly ErrorCode[];
}

/** Generates the OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0) of the HTTP calls as YAML. */
export function openapiDocument(routes: readonly RouteDescription[], { calls }: Examples): string {
  const components = createComponents();
  const error = components.plain(errorSchema(routes));
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const recorded = calls[`${route.method} ${route.path}`] ?? [];
    paths[route.path] = {
      ...paths[route.path],
      [route.method.toLowerCase()]: operation(route, recorded, { components, error }),
    };
  }
  return yamlOf({
    openapi: '3.1.0',
    info: {
      title: 'Parley accounts',
      version: VERSION,
      description,
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    servers: [{ url: './' }],
    tags: [...new Set(routes.map(tagOf))].map((name) => ({ name })),
    paths,
    components: {
      schemas: components.schemas(),
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  });
}

const tagOf = ({ path }: RouteDescription): string => path.split('/')[1] ?? '';

const description = `
The HTTP calls are for accounts and monitoring. Everything else is a command over the WebSocket: see the AsyncAPI
document, \`asyncapi.yaml\`, shown at [docs/](../docs/).

Every error is \`{ "error": true, "code", "message" }\`. Programs should use \`code\`. Unknown paths are answered with
404 \`NOT_FOUND\`, other methods with 405 \`METHOD_NOT_ALLOWED\`.
`.trim();

/** The schemas of the document. */
interface Schemas {
  readonly components: Components;
  readonly error: object;
}

/** Errors that do not depend on a route. */
const ANYWHERE: readonly ErrorCode[] = ['NOT_FOUND', 'METHOD_NOT_ALLOWED'];

function errorSchema(routes: readonly RouteDescription[]) {
  const codes = [...new Set([...routes.flatMap(errorsOf), ...ANYWHERE])];
  return Type.Object(
    {
      error: Type.Literal(true, { description: 'The answer is an error' }),
      code: errorCode(codes),
      message: errorMessage,
    },
    { title: 'Error', description: 'The answer of a call that failed' },
  );
}

function operation(route: RouteDescription, calls: readonly RecordedCall[], schemas: Schemas): object {
  const { method, path, summary, authenticated, body, success } = route;
  const { plain } = schemas.components;
  const accepted = calls.filter(({ status }) => status < 300);
  const requests = accepted.map((call) => [`with ${Object.keys(call.body ?? {}).join(', ')}`, call.body]);
  return {
    operationId: `${method.toLowerCase()}${path.replaceAll(/\/(\w)/g, (_, letter) => letter.toUpperCase())}`,
    summary,
    tags: [tagOf(route)],
    ...(authenticated && { security: [{ token: [] }] }),
    ...(body && { requestBody: { required: true, content: content(plain(body), requests) } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(success).map(([status, { summary: description, schema, contentType }]) => {
          const answers = calls
            .filter((call) => call.status === Number(status) && call.answer)
            .map(({ body, answer }) => [body ? `to ${Object.keys(body).join(', ')}` : 'answer', answer]);
          return [
            status,
            { description, ...(schema && { content: content(plain(schema), answers, contentType) }) },
          ];
        }),
      ),
      ...errorResponses(route, calls, schemas.error),
    },
  };
}

/** Returns the content of a body: its schema, and examples by name. */
function content(schema: object, examples: unknown[][], type = 'application/json'): object {
  const named = examples.map(([name, value]) => [name, { value }]);
  return { [type]: { schema, ...(named.length > 0 && { examples: Object.fromEntries(named) }) } };
}

/** Returns the errors of a route, including those common to all routes of its kind. */
export function errorsOf({ errors, body }: RouteDescription): ErrorCode[] {
  const ofBody: readonly ErrorCode[] = body ? ['PAYLOAD_TOO_LARGE', 'UNAVAILABLE'] : [];
  return [...new Set([...errors, ...ofBody, 'INTERNAL' as const])];
}

function errorResponses(
  route: RouteDescription,
  calls: readonly RecordedCall[],
  error: object,
): Record<string, object> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of errorsOf(route)) {
    const { status } = errorCodes[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [status, errorResponse(status, codes, calls, error)]),
  );
}

function errorResponse(
  status: number,
  codes: readonly ErrorCode[],
  calls: readonly RecordedCall[],
  error: object,
): object {
  const examples = codes.map((code) => {
    const recorded = calls.find(({ answer }) => answer && 'code' in answer && answer.code === code);
    return [code, recorded?.answer ?? { error: true, code, message: errorCodes[code].summary }];
  });
  const waits = status === 429 || status === 503;
  return {
    description: codes.map((code) => `\`${code}\`: ${errorCodes[code].summary}`).join('; '),
    ...(waits && {
      headers: { 'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer' } } },
    }),
    content: content(error, examples),
  };
}
