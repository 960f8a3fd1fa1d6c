import { readFile } from 'node:fs/promises';
import { type ConnectionOptions, credsAuthenticator } from '@nats-io/transport-node';
import { StartError } from '../../protocol/errors.ts';

export interface NatsOptions {
  /** `nats://` or `tls://`, with user and password where NATS requires them. */
  readonly servers: readonly string[];
  /** A file with credentials (JWT and seed), as `nsc` makes it. */
  readonly credentials?: string | undefined;
  /** A file with the certificate authorities to trust instead of the system's. */
  readonly authorities?: string | undefined;
}

/** Milliseconds between two attempts of the library to reconnect. */
const RECONNECT_WAIT = 250;
/** Milliseconds between two attempts to make a new connection, which the library does not repeat by itself. */
export const CONNECT_WAIT = 1_000;
/** Milliseconds for an attempt. */
const CONNECT_TIMEOUT = 3_000;
/** Milliseconds between two pings; two without an answer, and the connection is dead. */
const PING_INTERVAL = 3_000;

/** Returns the options of the library; throws a StartError when a file cannot be read. */
export async function connectOptions({
  servers,
  credentials,
  authorities,
}: NatsOptions): Promise<ConnectionOptions> {
  const urls = servers.map((server) => new URL(server));
  const isTls = urls.some(({ protocol }) => protocol === 'tls:');
  return {
    servers: urls.map(({ host }) => host),
    name: 'parley',
    noEcho: true,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    timeout: CONNECT_TIMEOUT,
    reconnectTimeWait: RECONNECT_WAIT,
    pingInterval: PING_INTERVAL,
    maxPingOut: 2,
    ...userOf(urls[0]),
    ...(credentials && { authenticator: credsAuthenticator(new Uint8Array(await read(credentials))) }),
    ...(isTls && { tls: authorities ? { ca: (await read(authorities)).toString() } : {} }),
  };
}

/** Returns a URL to log. */
export function withoutPassword(server: string): string {
  const { protocol, host } = new URL(server);
  return `${protocol}//${host}`;
}

/** Returns the user and password of a URL, or the token that it has in their place. */
function userOf(url: URL | undefined): { user: string; pass: string } | { token: string } | undefined {
  const user = decodeURIComponent(url?.username ?? '');
  const pass = decodeURIComponent(url?.password ?? '');
  if (!user) return undefined;
  return pass ? { user, pass } : { token: user };
}

const read = (file: string): Promise<Buffer> =>
  readFile(file).catch(() => {
    throw new StartError(`The file ${file}, named in NATS_CREDS or NATS_CA, cannot be read`);
  });
