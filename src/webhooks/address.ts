import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** The addresses of IPv6 that are routed in the internet. Others may stand for an address of IPv4, as `::127.0.0.1` does. */
const ROUTED = ipaddr.IPv6.parseCIDR('2000::/3');
/** Characters of a URL. */
const MAX_LENGTH = 2_000;

/**
 * Returns true for an address in the internet: none of a private, loopback or link-local network, no multicast, nothing
 * reserved, and no IPv6 address that contains one of IPv4, except that a mapped one counts as that of IPv4.
 */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return parsed.range() === 'unicast' && (parsed instanceof ipaddr.IPv4 || parsed.match(ROUTED));
}

/** Returns why events are not delivered to a URL, with the expected form; undefined if they are. */
export function problemOfUrl(text: string, allowsPrivate: boolean): string | undefined {
  if (!URL.canParse(text) || text.length > MAX_LENGTH)
    return `is not a URL; expected one like https://example.com/events of at most ${MAX_LENGTH} characters`;
  const { protocol, username, password, hostname } = new URL(text);
  if (username !== '' || password !== '') return 'contains credentials; expected a URL without them';
  if (protocol !== 'https:' && !(protocol === 'http:' && allowsPrivate))
    return 'is not an https:// URL; http:// is possible with WEBHOOK_PRIVATE_NETWORKS=on';
  const address = hostname.replaceAll(/^\[|\]$/g, '');
  if (isIP(address) !== 0 && !allowsPrivate && !isPublic(address))
    return `has the private address ${address}; WEBHOOK_PRIVATE_NETWORKS=on allows it`;
  return undefined;
}
