import pg from 'pg';
import { ConnectionError } from 'sequelize';
import { ApiError, LimitError } from '../protocol/errors.ts';
import { reasonOf } from './outages.ts';

/** The connection failed before the statement was sent. */
export class NotConnectedError extends Error {
  override readonly name = 'NotConnectedError';
  readonly original: unknown;

  constructor(original: unknown) {
    super(reasonOf(original), { cause: original });
    this.original = original;
  }
}

/** The connection broke or timed out before the statement was answered, so the statement may have taken effect. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';

  constructor(cause: unknown) {
    super(reasonOf(cause), { cause });
  }
}

/**
 * SQLSTATE classes and codes of a database that is unreachable, full, read-only or shutting down, or that cancelled the
 * statement, and not of a wrong statement: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const UNAVAILABLE = /^(08|53|57P0|57014|25006|25P03|25P04)/;
/** The codes that end the connection. */
const ENDS_CONNECTION = /^(08|57P0|25P03|25P04)/;
/** The codes that may arrive at any time, so a commit may have succeeded. */
const ANY_TIME = /^(08|57P0)/;

/** Returns true if an error means that the database is temporarily unavailable, so that a retry makes sense. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof ConnectionError || error instanceof NotConnectedError) return true;
  const root = rootOf(error);
  return root instanceof ConnectionLostError || UNAVAILABLE.test(root.code ?? '');
}

/** Returns true if PostgreSQL ended the connection with this error. */
export const endsConnection = (error: pg.DatabaseError): boolean => ENDS_CONNECTION.test(error.code ?? '');

/** Returns true if PostgreSQL itself refused the statement, so that nothing of it was committed. */
export function isRefusedByServer(error: unknown): boolean {
  const root = rootOf(error);
  return root instanceof pg.DatabaseError && !ANY_TIME.test(root.code ?? '');
}

/**
 * Returns true if PostgreSQL cancelled the statement, because of its timeout or because an administrator called
 * pg_cancel_backend. Neither should be retried. A server that shuts down ends the connection instead.
 */
export const isTimeout = (error: unknown): boolean => rootOf(error).code === '57014';

/** Returns true if a statement was prepared before a migration changed the types of its columns. It had no effect. */
export const isOfAnotherSchema = (error: unknown): boolean => rootOf(error).code === '0A000';

/** Serialization failure and deadlock: https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html */
const CONFLICT = /^(40001|40P01)$/;
/**
 * Violated if two nodes store messages with the same `clientMessageId` at once. Repeated, the second one finds the
 * message of the first.
 */
const ONE_PER_CLIENT_MESSAGE_ID = 'messages_once_per_sender';

/** Returns true if a transaction failed only because of a concurrent one and should be repeated. */
export function isRepeatable(error: unknown): boolean {
  return CONFLICT.test(rootOf(error).code ?? '') || violatedConstraint(error) === ONE_PER_CLIENT_MESSAGE_ID;
}

/** Returns true if recurring work can be tried again later and the error is not a fault. */
export const isTransient = (error: unknown): boolean => isUnavailable(error) || isRepeatable(error);

/** Returns the log level of an error of recurring work: during an outage, the outage itself is already logged. */
export const levelOf = (error: unknown): 'debug' | 'warn' => (isTransient(error) ? 'debug' : 'warn');

/** Runs of a transaction after which its error is final. */
const MAX_RUNS = 5;

/**
 * Runs a transaction and repeats it while its error {@link isRepeatable}. Rejects with any other error, or with the
 * last.
 */
export async function repeatable<T>(run: () => Promise<T>): Promise<T> {
  for (let runs = 1; ; runs++) {
    try {
      return await run();
    } catch (error) {
      if (runs === MAX_RUNS || !isRepeatable(error)) throw error;
    }
  }
}

/**
 * Returns the refusal for an error: a refusal itself, `UNAVAILABLE` for a database that is unavailable or too
 * contended, undefined for a bug. A cancelled statement of a read (`isRead`) is a `TIMEOUT`, because a repetition would
 * take as long; for a change that is unknown.
 */
export function refusalOf(error: unknown, isRead = false): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (isRead && isTimeout(error)) return new LimitError('read', 'TIMEOUT');
  return isTransient(error) ? new ApiError('UNAVAILABLE', undefined, 1) : undefined;
}

/** Returns the name of a violated unique constraint or index, or undefined for any other error. */
export function violatedConstraint(error: unknown): string | undefined {
  const { code, constraint } = rootOf(error);
  return code === '23505' ? constraint : undefined;
}

interface Cause {
  readonly code?: string;
  readonly constraint?: string;
}

/** Returns the error of pg, or the {@link ConnectionLostError}, that an error of Sequelize wraps. */
function rootOf(error: unknown): Cause {
  const { original } = error as { original?: object };
  return (original ?? error) as Cause;
}
