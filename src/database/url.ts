import pg from 'pg';

/** Scheme, server, path; a host that begins with a slash may also stand in the query. */
const FORM = /^([^:/?]+):\/\/(?:[^/?]*@)?([^/?]*)\/?([^?]*)/;

/**
 * What is wrong with a URL of a database, which pg reads: a sentence without its subject, and without the URL, in which
 * there may be a password. Undefined where nothing is.
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
    return Number.isInteger(port) ? undefined : 'has a port that is no number';
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ERR_INVALID_URL' ? 'is not a URL' : `cannot be used (${message})`; // such as a file of sslrootcert
  }
}
