import pg from 'pg';

/** Scheme, server and path. A host that begins with a slash may be in the query instead. */
const FORM = /^([^:/?]+):\/\/(?:[^/?]*@)?([^/?]*)\/?([^?]*)/;

/**
 * Returns the problem of a database URL as a sentence without its subject, or undefined if pg accepts the URL. The
 * sentence does not contain the URL, which may contain a password.
 */
export function problemOfDatabaseUrl(url: string): string | undefined {
  const [, scheme, server = '', database] = FORM.exec(url) ?? [];
  if (scheme === undefined) return 'is not a URL';
  if (!/^postgres(ql)?$/.test(scheme)) return `has the scheme "${scheme}:"`;
  if (server.includes(',')) return 'names several servers, of which pg takes one';
  if (!database) return 'names no database';
  try {
    const { host, port } = new pg.Client({ connectionString: url });
    if (host.includes(',')) return 'names several servers, of which pg takes one';
    return Number.isInteger(port) ? undefined : 'has a port that is not a number';
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ERR_INVALID_URL' ? 'is not a URL' : `cannot be used (${message})`; // for example a missing file of sslrootcert
  }
}
