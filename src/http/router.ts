import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { createGuard } from '../net/guard.ts';
import { type RequestHeaders, readHeaders } from '../net/headers.ts';
import { framingOf } from '../net/requestLength.ts';
import { ApiError, errorCodes } from '../protocol/errors.ts';
import type { Route, RouteServices } from './define.ts';
import type { Page } from './pages.ts';
import { RouteRunner, type RunnerOptions } from './RouteRunner.ts';
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

/** The HTTP side of the server. */
export interface Router {
  /** Requests accepted and not yet answered. */
  readonly unanswered: number;
  /** Returns true while a request may be on its way: on a connection that was opened, or answered, a moment ago. */
  expectsRequest(): boolean;
  mount(app: TemplatedApp): void;
}

/** Milliseconds in which a request arrives on a new connection, or the next one on a connection that stays open. */
const ARRIVAL = 100;

export interface RouterOptions extends RunnerOptions {
  /** Origins that browsers may call from; `*` is any. */
  readonly corsOrigins: readonly string[];
}

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
  { corsOrigins, ...options }: RouterOptions,
): Router {
  const byPath = new Map<string, Route[]>();
  for (const route of routes) byPath.set(route.path, [...(byPath.get(route.path) ?? []), route]);
  const runner = new RouteRunner(services, options);
  const guard = createGuard(services.log);
  let usedAt = Number.NEGATIVE_INFINITY;

  /** A stopping server ends each connection with an answer, so that no request is sent into one that it closes. */
  function connectionOptions(): ResponseOptions {
    const closeConnection = !services.accepting();
    if (!closeConnection) usedAt = performance.now();
    return { closeConnection };
  }

  function handle(res: HttpResponse, req: HttpRequest): unknown {
    const path = req.getUrl();
    const requested = req.getCaseSensitiveMethod().toUpperCase();
    const isHead = requested === 'HEAD';
    const method = isHead ? 'GET' : requested;
    const headers = readHeaders(req);
    const framing = framingOf(headers);
    if (framing === 'uncertain') return refuseUncertain(res);
    const options = { ...connectionOptions(), withoutBody: isHead, isLast: framing === 'chunked' };
    const cors = corsHeaders(headers.get('origin'), corsOrigins);

    const page = pages.get(path);
    if (page && method === 'GET') return respondPage(res, headers, page, options);
    const atPath = byPath.get(path) ?? [];
    const route = atPath.find((candidate) => candidate.method === method);
    if (route) return runner.answer({ route, res, headers, cors, options });
    if (atPath.length > 0 && isPreflight(requested, headers))
      return respond(res, 204, { ...cors, ...PREFLIGHT }, undefined, options);
    const methods = page ? ['GET'] : atPath.map((candidate) => candidate.method);
    return refuse(res, path, methods, cors, options);
  }

  return {
    get unanswered() {
      return runner.unanswered;
    },
    expectsRequest: () => performance.now() - usedAt < ARRIVAL,
    mount(app) {
      const opened = (_: HttpResponse, count: number) => {
        if (count > 0) usedAt = performance.now();
      };
      app.filter(guard('http connection', opened) as Parameters<TemplatedApp['filter']>[0]);
      app.any('/*', guard('http handler', handle, answerFailure));
    },
  };
}

/**
 * Returns true for preflights of browsers. Only these get 204: HAProxy's health checks use OPTIONS by default and would
 * take 204 for success.
 */
function isPreflight(method: string, headers: RequestHeaders): boolean {
  return method === 'OPTIONS' && headers.get('access-control-request-method') !== '';
}

/** Answers a request for a path that supports only `methods`, or none. */
function refuse(
  res: HttpResponse,
  path: string,
  methods: readonly string[],
  cors: Headers,
  options: ResponseOptions,
): void {
  if (methods.length === 0)
    return respondError(
      res,
      new ApiError('NOT_FOUND', `No resource at ${path.slice(0, 100)}`),
      cors,
      options,
    );
  const allow = methods.join(', ');
  const error = new ApiError('METHOD_NOT_ALLOWED', `${path} supports only ${allow}`);
  respondError(res, error, { ...cors, Allow: allow }, options);
}

/**
 * Answers after a fault outside of a route, and closes the connection: after HEAD, the body would be taken for the next
 * answer.
 */
function answerFailure({ code, message }: ApiError, res: HttpResponse): void {
  const body = JSON.stringify({ error: true, code, message });
  respond(res, errorCodes[code].status, JSON_HEADERS, body, { closeConnection: true });
}
