import type { Logger } from 'pino';
import type { Static, TObject } from 'typebox';
import type { Deletions } from '../accounts/deleteAccount.ts';
import type { Passwords } from '../auth/passwords.ts';
import type { Tokens, VerifyToken } from '../auth/tokens.ts';
import type { Publisher } from '../bus/bus.ts';
import type { KeyedQueue } from '../bus/KeyedQueue.ts';
import type { Database } from '../database/database.ts';
import type { User } from '../database/models/User.ts';
import type { RouteDescription } from '../docs/openapi.ts';
import type { Limits } from '../limits.ts';
import type { MessageWriter } from '../messages/MessageWriter.ts';
import { compileValidator } from '../protocol/validator.ts';
import type { AttemptLimits } from './attemptLimits.ts';

/** The services that routes use. */
export interface RouteServices {
  readonly db: Database;
  readonly limits: Limits;
  /** True if anybody may create an account. */
  readonly registration: boolean;
  readonly bus: Publisher;
  /** Runs changes of the same object one after another, each including its push; shared with the commands. */
  readonly changes: KeyedQueue;
  readonly writer: MessageWriter;
  readonly deletions: Pick<Deletions, 'leave'>;
  readonly tokens: Pick<Tokens, 'issue'>;
  readonly verifyToken: VerifyToken;
  readonly passwords: Passwords;
  readonly attempts: AttemptLimits;
  readonly log: Logger;
  /** Prometheus text. */
  readonly metricsText: () => Promise<string>;
  /** Returns false once the server has begun to stop. */
  readonly accepting: () => boolean;
}

export interface RouteContext extends RouteServices {
  /** Address of the client. */
  readonly address: string;
  /** The user of the token; defined on routes with `authenticated`. */
  readonly caller: User | undefined;
}

/** Returns the caller of an authenticated route. */
export function callerOf({ caller }: RouteContext): User {
  if (!caller) throw new Error('the route is not defined as authenticated');
  return caller;
}

export interface RouteResult {
  readonly status: number;
  /** Sent as JSON, or unchanged if the route has a `contentType`. */
  readonly body?: unknown;
}

export interface RouteDefinition<Body extends TObject | undefined> extends Omit<RouteDescription, 'body'> {
  readonly body?: Body;
  handle(body: Body extends TObject ? Static<Body> : undefined, context: RouteContext): Promise<RouteResult>;
}

export interface Route extends RouteDescription {
  /** Validates the body and runs the handler. Rejects with an `ApiError` for a refusal. */
  execute(body: unknown, context: RouteContext): Promise<RouteResult>;
}

/** Defines an HTTP call. The validator, the router and the OpenAPI document derive from the definition. */
export function defineRoute<Body extends TObject | undefined = undefined>(
  definition: RouteDefinition<Body>,
): Route {
  const { handle, body: schema, ...rest } = definition;
  type Input = Parameters<typeof handle>[0];
  if (!schema)
    return { ...rest, body: undefined, execute: async (_, context) => handle(undefined as Input, context) };
  const body = { ...(schema as TObject), additionalProperties: false };
  const validate = compileValidator(body, 'body');
  return { ...rest, body, execute: async (input, context) => handle(validate(input) as Input, context) };
}
