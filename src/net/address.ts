import type { HttpResponse } from 'uWebSockets.js';
import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';
import proxyAddr from 'proxy-addr';
import type { RequestHeaders } from './headers.ts';

/** Returns the address of a client as text; to be called before the first await. */
export type AddressOf = (res: HttpResponse, headers: RequestHeaders) => string;

/**
 * Finds the address of clients: that of the socket, or, where that is one of the trusted proxies, the last one in all
 * lines of `X-Forwarded-For` that is none. `trusted` are addresses, networks (10.0.0.0/8), or the names `loopback`,
 * `linklocal` and `uniquelocal`; throws a TypeError for anything else.
 */
export function createAddressOf(trusted: readonly string[]): AddressOf {
  const isTrusted = proxyAddr.compile([...trusted]);
  return (res, headers) => {
    const remote = plain(Buffer.from(res.getRemoteAddressAsText()).toString());
    const forwarded = trusted.length > 0 && headers.get('x-forwarded-for');
    if (!forwarded) return remote;
    const request = { socket: { remoteAddress: remote }, headers: { 'x-forwarded-for': forwarded } };
    const client = proxyAddr(request as unknown as IncomingMessage, isTrusted);
    return ipaddr.isValid(client) ? plain(client) : remote;
  };
}

/** Returns an IPv4 address as such also where it is mapped into IPv6; empty for a Unix socket. */
const plain = (address: string): string =>
  ipaddr.isValid(address) ? ipaddr.process(address).toString() : address;

/** Returns the unit that limits count: an IPv4 address, or the /64 network that one customer has of IPv6. */
export function networkOf(address: string): string {
  if (!ipaddr.IPv6.isValid(address)) return address;
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/64`)}/64`;
}
