import pg from 'pg';
import { ConnectionError } from 'sequelize';
import { ApiError, LimitError } from '../protocol/errors.ts';
import { reasonOf } from './outages.ts';

/** The connection could not be made: the statement was not sent. */
export class NotConnectedError extends Error {
  override readonly name = 'NotConnectedError';
  readonly original: unknown;

  constructor(original: unknown) {
    super(reasonOf(original), { cause: original });
    this.original = original;
  }
}

/** The connection broke, or was silent for too long, before the statement was answered: it may have been done. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';

  constructor(cause: unknown) {
    super(reasonOf(cause), { cause });
  }
}

/**
 * SQLSTATE classes and codes that say the database is away, full, read-only or shutting down, or has run out of
 * patience, not that the statement is wrong: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const AWAY = /^(08|53|57P0|57014|25006|25P03|25P04)/;
/** Those that end the connection. */
const ENDS_CONNECTION = /^(08|57P0|25P03|25P04)/;
/** Those of them that come whatever the connection was at: a commit may have been done. */
const ANY_TIME = /^(08|57P0)/;

/** True if an error means that the database cannot be reached or cannot work now: worth a retry. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof ConnectionError || error instanceof NotConnectedError) return true;
  const root = rootOf(error);
  return root instanceof ConnectionLostError || AWAY.test(root.code ?? '');
}

/** True if PostgreSQL ended the connection with this error. */
export const endsConnection = (error: pg.DatabaseError): boolean => ENDS_CONNECTION.test(error.code ?? '');

/** True if PostgreSQL itself refused the statement, so that nothing of it was committed. */
export function isRefusedByServer(error: unknown): boolean {
  const root = rootOf(error);
  return root instanceof pg.DatabaseError && !ANY_TIME.test(root.code ?? '');
}

/**
 * True if PostgreSQL cancelled the statement: it ran into its timeout, or an administrator ended it with
 * pg_cancel_backend, who does not want to see it again either. A server that shuts down ends the connection instead.
 */
export const isTimeout = (error: unknown): boolean => rootOf(error).code === '57014';

/** True if a statement was prepared before a migration changed the types of what it returns: nothing of it was done. */
export const isOfAnotherSchema = (error: unknown): boolean => rootOf(error).code === '0A000';

/** Serialization failure and deadlock: https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html */
const LOST_AGAINST_ANOTHER = /^(40001|40P01)$/;
/** Two nodes stored messages with the same `clientMessageId` at once; whichever comes second finds the other's when run again. */
const ONE_PER_CLIENT_MESSAGE_ID = 'messages_once_per_sender';

/** True if a transaction failed only because of another one at the same time, and is right to be run again. */
export function isRepeatable(error: unknown): boolean {
  return (
    LOST_AGAINST_ANOTHER.test(rootOf(error).code ?? '') ||
    violatedConstraint(error) === ONE_PER_CLIENT_MESSAGE_ID
  );
}

/** True if the same is right to be tried again later: for work that comes around by itself, and is no fault. */
export const isPassing = (error: unknown): boolean => isUnavailable(error) || isRepeatable(error);

/** The level at which such work logs an error: while the database is away, its outage has a line already. */
export const levelOf = (error: unknown): 'debug' | 'warn' => (isPassing(error) ? 'debug' : 'warn');

/** How often a transaction is run before its error is final. */
const MAX_RUNS = 5;

/** Runs a transaction, and again while its error {@link isRepeatable}; rejects with any other error, or the last. */
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
 * The refusal to answer an error with: a refusal as it is, `UNAVAILABLE` for a database that is away or too contended,
 * undefined for a bug. Of what only reads (`isRead`), a statement that was cancelled is a `TIMEOUT`: repeated as it is,
 * it would take as long again. Of a change it is not known how long it would take the next time.
 */
export function refusalOf(error: unknown, isRead = false): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (isRead && isTimeout(error)) return new LimitError('read', 'TIMEOUT');
  return isPassing(error) ? new ApiError('UNAVAILABLE', undefined, 1) : undefined;
}

/** The name of a violated unique constraint or index, or undefined for any other error. */
export function violatedConstraint(error: unknown): string | undefined {
  const { code, constraint } = rootOf(error);
  return code === '23505' ? constraint : undefined;
}

interface Cause {
  readonly code?: string;
  readonly constraint?: string;
}

/** The error of pg, or a {@link ConnectionLostError}, inside the one that Sequelize makes of it. */
function rootOf(error: unknown): Cause {
  const { original } = error as { original?: object };
  return (original ?? error) as Cause;
}
