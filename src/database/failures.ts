import { BaseError, ConnectionError, UniqueConstraintError } from 'sequelize';
import { ApiError } from '../errors.ts';

/** SQLSTATE classes and codes that say the database is away, full or shutting down, not that the query is wrong. */
const AWAY = /^(08|53|57P0|57014|25006)/;
/** What Node and pg say of a connection that is refused, cut or silent. */
const CUT = /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN)/;
const CUT_MESSAGE =
  /terminated|read timeout|timeout exceeded|Connection ended|not queryable|manager was closed|manager is closing/i;

/** Whether an error means that the database cannot be reached or cannot work now: worth a retry. */
export function isUnavailable(error: unknown): boolean {
  if (
    error instanceof ConnectionError ||
    (error instanceof BaseError && /^SequelizeConnection/.test(error.name))
  )
    return true;
  const cause = rootOf(error);
  return AWAY.test(cause.code ?? '') || CUT.test(cause.code ?? '') || CUT_MESSAGE.test(cause.message ?? '');
}

/** What a client is told of an error: a refusal as it is, `UNAVAILABLE` for a database that is away, nothing for a bug. */
export function refusalOf(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  return isUnavailable(error) ? new ApiError('UNAVAILABLE', undefined, 1) : undefined;
}

/** The column of a violated unique constraint, or undefined for any other error. */
export function violatedColumn(error: unknown): string | undefined {
  return error instanceof UniqueConstraintError ? Object.keys(error.fields)[0] : undefined;
}

function rootOf(error: unknown): { code?: string; message?: string } {
  const { original } = error as { original?: object };
  return (original ?? error) as { code?: string; message?: string };
}
