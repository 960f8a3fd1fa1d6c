import { BaseError, ConnectionError } from 'sequelize';
import { ApiError } from '../errors.ts';

/** SQLSTATE classes and codes that say the database is away, full or shutting down, not that the query is wrong. */
const AWAY = /^(08|53|57P0|57014|25006)/;
/** Codes of Node for a connection that is refused, cut or silent, or for which there is no file descriptor. */
const CUT = /^(E[A-Z]+$|EAI_|ERR_(SSL|TLS|STREAM|SOCKET))/;
const CUT_MESSAGE =
  /terminated|read timeout|timeout exceeded|Connection ended|not queryable|manager was closed|manager is closing/i;

/** True if an error means that the database cannot be reached or cannot work now: worth a retry. */
export function isUnavailable(error: unknown): boolean {
  if (
    error instanceof ConnectionError ||
    (error instanceof BaseError && /^SequelizeConnection/.test(error.name))
  )
    return true;
  const cause = rootOf(error);
  return AWAY.test(cause.code ?? '') || CUT.test(cause.code ?? '') || CUT_MESSAGE.test(cause.message ?? '');
}

/** True if PostgreSQL itself refused the statement, so that nothing of it was committed. */
export function isRefusedByServer(error: unknown): boolean {
  const { severity, code = '' } = rootOf(error);
  return severity !== undefined && !/^(08|57P0)/.test(code); // these end the connection, whatever it was at
}

/** True if PostgreSQL cancelled the statement: it ran into its timeout. */
export const isTimeout = (error: unknown): boolean => rootOf(error).code === '57014';

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
 * undefined for a bug.
 */
export function refusalOf(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  return isUnavailable(error) || isRepeatable(error) ? new ApiError('UNAVAILABLE', undefined, 1) : undefined;
}

/** The name of a violated unique constraint or index, or undefined for any other error. */
export function violatedConstraint(error: unknown): string | undefined {
  const { code, constraint } = rootOf(error);
  return code === '23505' ? constraint : undefined;
}

interface Cause {
  readonly code?: string;
  readonly message?: string;
  readonly constraint?: string;
  /** There on errors that PostgreSQL answered. */
  readonly severity?: string;
}

function rootOf(error: unknown): Cause {
  const { original } = error as { original?: object };
  return (original ?? error) as Cause;
}
