import type { HttpResponse } from 'uWebSockets.js';
import { randomUUID } from 'node:crypto';
import { authenticate } from '../auth/authenticate.ts';
import { ByteBudget } from '../ByteBudget.ts';
import { refusalOf } from '../database/failures.ts';
import { BODIES_BYTES } from '../limits.ts';
import { type AddressOf, networkOf } from '../net/address.ts';
import { createGuard, type Guard } from '../net/guard.ts';
import type { RequestHeaders } from '../net/headers.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Trace, Tracing } from '../observability/tracing.ts';
import { type ApiError, errorCodes, internal } from '../protocol/errors.ts';
import { type Body, collectBody, parseBody } from './body.ts';
import type { Route, RouteResult, RouteServices } from './define.ts';
import { type Headers, JSON_HEADERS, type ResponseOptions, respond, respondError } from './response.ts';

export interface RunnerOptions {
  readonly metrics: Metrics;
  readonly tracing: Tracing | undefined;
  readonly addressOf: AddressOf;
}

/** A request for a route, and how its response is written. */
export interface RouteRequest {
  readonly route: Route;
  readonly res: HttpResponse;
  readonly headers: RequestHeaders;
  readonly cors: Headers;
  readonly options: ResponseOptions;
}

/** A running request. */
interface Run extends RouteRequest {
  readonly requestId: string;
  /** A time of `performance.now()`. */
  readonly start: number;
  readonly address: string;
  /** Aborted when the client disconnects. */
  readonly client: AbortSignal;
  readonly trace: Trace | undefined;
}

/** Share of one address in the memory for bodies. */
const ADDRESS_SHARE = 1 / 16;

/** Runs the handlers of routes and writes their responses. */
export class RouteRunner {
  readonly #services: RouteServices;
  readonly #options: RunnerOptions;
  readonly #guard: Guard;
  readonly #bodies = new ByteBudget(BODIES_BYTES, ADDRESS_SHARE);
  #unanswered = 0;

  constructor(services: RouteServices, options: RunnerOptions) {
    this.#services = services;
    this.#options = options;
    this.#guard = createGuard(services.log);
  }

  /** Requests accepted and not yet answered. */
  get unanswered(): number {
    return this.#unanswered;
  }

  /** Answers a request. Must be called in the handler of the request. */
  async answer(request: RouteRequest): Promise<void> {
    const run = this.#begin(request);
    let outcome: { readonly status: number; readonly code: string };
    this.#unanswered++;
    try {
      const result = await this.#execute(run);
      if (!run.client.aborted) respondResult(run, result);
      outcome = { status: result.status, code: 'ok' };
    } catch (error) {
      outcome = this.#refuse(run, error);
    } finally {
      this.#unanswered--;
    }
    this.#record(run, outcome);
  }

  #begin(request: RouteRequest): Run {
    const { route, res, headers } = request;
    const client = new AbortController();
    res.onAborted(this.#guard('http abort', () => client.abort())); // first, because without a handler a fault before the answer ends the process
    return {
      ...request,
      requestId: randomUUID(),
      start: performance.now(),
      address: this.#options.addressOf(res, headers), // the response may be invalid after the first await
      client: client.signal,
      trace: this.#options.tracing?.begin(
        `${route.method} ${route.path}`,
        { 'http.request.method': route.method, 'http.route': route.path },
        headers.get('traceparent'),
      ),
    };
  }

  async #execute({ route, res, headers, address, client }: Run): Promise<RouteResult> {
    const { db, verifyToken } = this.#services;
    let body: Body | undefined;
    try {
      // Collection starts at once, or the first bytes are lost. An invalid token is reported before an invalid body.
      body = route.body && collectBody(res, client, this.#bodies.of(networkOf(address)), this.#guard);
      const caller = route.authenticated
        ? await authenticate(db, verifyToken, headers.get('authorization'))
        : undefined;
      const input = body && parseBody(await body.bytes);
      return await route.execute(input, { ...this.#services, address, caller });
    } finally {
      body?.release();
    }
  }

  #refuse(run: Run, error: unknown) {
    const refusal = refusalOf(error) ?? this.#bug(run, error);
    this.#options.metrics.limitReached(refusal);
    if (!run.client.aborted) respondError(run.res, refusal, run.cors, run.options);
    return { status: errorCodes[refusal.code].status, code: refusal.code };
  }

  /** Logs a bug with the request id and returns the error for the client, which contains only that id. */
  #bug({ route: { method, path }, requestId }: Run, error: unknown): ApiError {
    this.#services.log.error({ err: error, requestId, method, path }, 'http request failed');
    return internal(requestId);
  }

  #record(run: Run, { status, code }: { readonly status: number; readonly code: string }): void {
    const { route, requestId, start, address, trace } = run;
    const { method, path } = route;
    this.#options.metrics.httpDone(method, path, status, start);
    trace?.end(code);
    const ms = performance.now() - start;
    this.#services.log.debug({ requestId, method, path, status, ms, address }, 'http request');
  }
}

function respondResult({ res, route, cors, options }: RouteRequest, { status, body }: RouteResult): void {
  const contentType = route.success[status]?.contentType;
  if (body === undefined) respond(res, status, cors, undefined, options);
  else if (contentType) respond(res, status, { ...cors, 'Content-Type': contentType }, String(body), options);
  else respond(res, status, { ...cors, ...JSON_HEADERS }, JSON.stringify(body), options);
}
