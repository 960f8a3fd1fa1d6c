import dns from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { isPublic, problemOfUrl } from './address.ts';

/** Bytes of the answer that are read. */
const MAX_ANSWER = 65_536;

/** Resolves a name to all its addresses, like `dns.lookup`. */
export type Resolve = (
  hostname: string,
  options: dns.LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: dns.LookupAddress[]) => void,
) => void;

export interface PostOptions {
  /** True if the address may be one of a private network. */
  readonly allowsPrivate: boolean;
  /** Milliseconds from the look-up of the name to the end of the answer. */
  readonly timeout: number;
  /** Ends the request. */
  readonly signal: AbortSignal;
  readonly resolve?: Resolve;
}

/** The refusal to connect to an address or URL. */
export class RefusedError extends Error {}

/** The end of a request whose answer took too long. */
export class TimeoutError extends Error {}

/**
 * Posts a body on a connection of its own and returns the status of the answer, which is otherwise ignored. Follows no
 * redirect. The addresses of a name are checked when it is resolved for the connection, so that another answer of its
 * name server is of no use.
 */
export async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  { allowsPrivate, timeout, signal, resolve = dns.lookup }: PostOptions,
): Promise<number> {
  const problem = problemOfUrl(url, allowsPrivate);
  if (problem !== undefined) throw new RefusedError(`the URL ${problem}`);
  const { request: open } = new URL(url).protocol === 'https:' ? https : http;
  const lookup = allowsPrivate ? lookupAny(resolve) : lookupPublic(resolve);
  const request = open(url, { method: 'POST', agent: false, headers, lookup, signal });
  request.on('error', () => {}); // also after the answer, when nobody waits for it
  const timer = setTimeout(() => request.destroy(new TimeoutError('no answer in time')), timeout);
  request.once('socket', (socket) =>
    socket.once('connect', () => {
      const { remoteAddress = '' } = socket;
      if (allowsPrivate || isPublic(remoteAddress)) request.end(body);
      else request.destroy(refusalOf(remoteAddress));
    }),
  );
  try {
    const response = await responseOf(request);
    const { statusCode = 0 } = response;
    if (statusCode !== 101) await discard(response).catch(() => {}); // the status counts
    return statusCode;
  } finally {
    clearTimeout(timer);
    request.destroy();
  }
}

/** Resolves to the response, also to one that changes the protocol. Rejects however else the request ends. */
function responseOf(request: http.ClientRequest): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.once('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response);
    });
    request.once('error', reject);
    request.once('close', () => reject(new Error('the connection was closed')));
  });
}

/** Reads the body of an answer so far that most clients can end theirs properly. */
async function discard(response: http.IncomingMessage): Promise<void> {
  let bytes = 0;
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_ANSWER) return; // which destroys the response
  }
}

const refusalOf = (address: string) =>
  new RefusedError(`the name has the private address ${address}; WEBHOOK_PRIVATE_NETWORKS=on allows it`);

/** Fails if one of the addresses is not public. */
const lookupPublic = (resolve: Resolve): LookupFunction =>
  lookupAny((hostname, options, callback) =>
    resolve(hostname, options, (error, addresses) => {
      const refused = error ? undefined : addresses.find(({ address }) => !isPublic(address));
      callback(refused ? refusalOf(refused.address) : error, addresses);
    }),
  );

/** Returns what Node calls for one address, or for all. */
const lookupAny =
  (resolve: Resolve): LookupFunction =>
  (hostname, options, callback) =>
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error || !first) callback(error ?? new Error(`${hostname} has no address`), []);
      else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
