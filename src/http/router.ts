import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { randomUUID } from 'node:crypto';
import { authenticate } from '../auth/authenticate.ts';
import { ByteBudget } from '../ByteBudget.ts';
import { refusalOf } from '../database/failures.ts';
import { BODIES_BYTES } from '../limits.ts';
import { type AddressOf, networkOf } from '../net/address.ts';
import { framingOf } from '../net/framing.ts';
import { createGuard } from '../net/guard.ts';
import { type RequestHeaders, readHeaders } from '../net/headers.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Tracing } from '../observability/tracing.ts';
import { ApiError, errorCodes, internal } from '../protocol/errors.ts';
import { type Body, collectBody, parseBody } from './body.ts';
import type { Route, RouteResult, RouteServices } from './define.ts';
import type { Page } from './pages.ts';
import {
  corsHeaders,
  type Headers,
  JSON_HEADERS,
  type ResponseOptions,
  refuseUncertain,
  respond,
  respondError,
  respondPage,
} from './response.ts';

/** The HTTP part of the server. */
export interface Router {
  /** Number of accepted requests that are not answered yet. */
  readonly unanswered: number;
  mount(app: TemplatedApp): void;
}

export interface RouterOptions {
  readonly metrics: Metrics;
  readonly tracing: Tracing | undefined;
  readonly addressOf: AddressOf;
  /** Origins from which browsers may call; `*` means any. */
  readonly corsOrigins: readonly string[];
}

/** Share of one address in the memory for bodies. */
const ADDRESS_SHARE = 1 / 16;

const PREFLIGHT = {
  'Access-Control-Allow-Methods': 'GET, POST, PATCH, DELETE',
  'Access-Control-Allow-Headers': 'Authorization, Content-Type',
  'Access-Control-Max-Age': '86400',
};

/** Serves routes and pages; answers everything else with 404 or 405. */
export function createRouter(
  routes: readonly Route[],
  pages: ReadonlyMap<string, Page>,
  services: RouteServices,
  { metrics, tracing, addressOf, corsOrigins }: RouterOptions,
): Router {
  const byPath = new Map<string, Route[]>();
  for (const route of routes) byPath.set(route.path, [...(byPath.get(route.path) ?? []), route]);
  const bodies = new ByteBudget(BODIES_BYTES, ADDRESS_SHARE);
  const guard = createGuard(services.log);
  let unanswered = 0;

  function take(res: HttpResponse, req: HttpRequest): unknown {
    const path = req.getUrl();
    const asked = req.getCaseSensitiveMethod().toUpperCase();
    const isHead = asked === 'HEAD';
    const method = isHead ? 'GET' : asked;
    const headers = readHeaders(req);
    const framing = framingOf(headers);
    if (framing === 'uncertain') return refuseUncertain(res);
    const options = { withoutBody: isHead, isLast: framing === 'chunked' };
    const cors = corsHeaders(headers.get('origin'), corsOrigins);

    const page = pages.get(path);
    if (page && method === 'GET') return respondPage(res, headers, page, options);
    const atPath = byPath.get(path) ?? [];
    const route = atPath.find((candidate) => candidate.method === method);
    if (route) return answer(route, res, headers, cors, options);
    // Only preflights of browsers get 204: HAProxy's health checks use OPTIONS by default and would take 204 for
    // success.
    const isPreflight = asked === 'OPTIONS' && headers.get('access-control-request-method') !== '';
    if (isPreflight && atPath.length > 0)
      return respond(res, 204, { ...cors, ...PREFLIGHT }, undefined, options);

    const methods = page ? ['GET'] : atPath.map((candidate) => candidate.method);
    if (methods.length === 0) {
      respondError(res, new ApiError('NOT_FOUND', `No resource at ${path.slice(0, 100)}`), cors, options);
    } else {
      const allow = methods.join(', ');
      const error = new ApiError('METHOD_NOT_ALLOWED', `${path} supports only ${allow}`);
      respondError(res, error, { ...cors, Allow: allow }, options);
    }
  }

  return {
    get unanswered() {
      return unanswered;
    },
    mount(app) {
      app.any('/*', guard('http handler', take, answerFailure));
    },
  };

  async function answer(
    route: Route,
    res: HttpResponse,
    headers: RequestHeaders,
    cors: Headers,
    options: ResponseOptions,
  ): Promise<void> {
    const client = new AbortController();
    res.onAborted(guard('http abort', () => client.abort())); // first, because without a handler a fault before the answer ends the process
    const start = performance.now();
    const requestId = randomUUID();
    const trace = tracing?.begin(
      `${route.method} ${route.path}`,
      { 'http.request.method': route.method, 'http.route': route.path },
      headers.get('traceparent'),
    );
    const address = addressOf(res, headers); // the response may be invalid after the first await

    unanswered++;
    let status: number;
    let outcome = 'ok';
    let body: Body | undefined;
    try {
      const result = await execute();
      status = result.status;
      if (!client.signal.aborted) respondResult(res, route, result, cors, options);
    } catch (error) {
      const refusal = refusalOf(error) ?? bug(error, route, requestId);
      status = errorCodes[refusal.code].status;
      outcome = refusal.code;
      metrics.limitReached(refusal);
      if (!client.signal.aborted) respondError(res, refusal, cors, options);
    } finally {
      unanswered--;
      body?.release();
    }
    metrics.httpDone(route.method, route.path, status, start);
    trace?.end(outcome);
    const { method, path } = route;
    services.log.debug(
      { requestId, method, path, status, ms: performance.now() - start, address },
      'http request',
    );

    async function execute(): Promise<RouteResult> {
      // Collection starts at once, or the first bytes are lost. An invalid token is reported before an invalid body.
      body = route.body && collectBody(res, client.signal, bodies.of(networkOf(address)), guard);
      const caller = route.authenticated
        ? await authenticate(services.db, services.tokens, headers.get('authorization'))
        : undefined;
      const input = body && parseBody(await body.bytes);
      return route.execute(input, { ...services, address, caller });
    }
  }

  /** Logs a bug with the request id and returns the error for the client, which contains only that id. */
  function bug(error: unknown, { method, path }: Route, requestId: string): ApiError {
    services.log.error({ err: error, requestId, method, path }, 'http request failed');
    return internal(requestId);
  }
}

/**
 * Answers after a fault outside of a route, and closes the connection: after HEAD, the body would be taken for the next
 * answer.
 */
function answerFailure({ code, message }: ApiError, res: HttpResponse): void {
  const body = JSON.stringify({ error: true, code, message });
  respond(res, errorCodes[code].status, JSON_HEADERS, body, { closeConnection: true });
}

function respondResult(
  res: HttpResponse,
  route: Route,
  { status, body }: RouteResult,
  cors: Headers,
  options: ResponseOptions,
): void {
  const contentType = route.success[status]?.contentType;
  if (body === undefined) respond(res, status, cors, undefined, options);
  else if (contentType) respond(res, status, { ...cors, 'Content-Type': contentType }, String(body), options);
  else respond(res, status, { ...cors, ...JSON_HEADERS }, JSON.stringify(body), options);
}
