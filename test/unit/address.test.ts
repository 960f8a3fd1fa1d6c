import type { HttpResponse } from 'uWebSockets.js';
import { expect } from 'chai';
import { createAddressOf, networkOf } from '../../src/net/address.ts';

describe('the address of a client', () => {
  /** Returns the address of a client whose socket is at `remote`. */
  function addressOf(remote: string, forwarded = '', trusted: readonly string[] = []): string {
    const res = { getRemoteAddressAsText: () => Buffer.from(remote) } as unknown as HttpResponse;
    const headers = { get: () => forwarded, lines: () => [forwarded] };
    return createAddressOf(trusted)(res, headers);
  }

  it('is the same whether IPv4 is mapped into IPv6 or not, of the socket and of a proxy', () => {
    expect(addressOf('0000:0000:0000:0000:0000:ffff:c000:0201')).to.equal('192.0.2.1');
    const proxy = '0000:0000:0000:0000:0000:ffff:7f00:0001';
    expect(addressOf(proxy, '::ffff:192.0.2.7', ['loopback'])).to.equal('192.0.2.7');
  });

  it('is that of the socket where the proxy is not trusted, or sends something else', () => {
    expect(addressOf('192.0.2.1', '192.0.2.7', ['loopback'])).to.equal('192.0.2.1');
    expect(addressOf('127.0.0.1', 'unknown', ['loopback'])).to.equal('127.0.0.1');
  });

  it('counts by itself, and together with its /64 where it is IPv6', () => {
    const networks = ['192.0.2.1', '2001:db8:0:1::2', '2001:db8:0:1:ffff::', '2001:db8:0:2::2'].map(
      networkOf,
    );
    expect(networks).to.deep.equal([
      '192.0.2.1',
      '2001:db8:0:1::/64',
      '2001:db8:0:1::/64',
      '2001:db8:0:2::/64',
    ]);
  });
});
