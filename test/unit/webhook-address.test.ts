import { expect } from 'chai';
import { isPublic, problemOfUrl } from '../../src/webhooks/address.ts';

const PUBLIC = ['8.8.8.8', '172.15.255.255', '172.32.0.1', '100.63.0.1', '100.128.0.1', '169.253.1.1'];
const PUBLIC_V6 = ['2606:4700:4700::1111', '::ffff:8.8.8.8', '2001:4860:4860::8888'];
const PRIVATE = [
  ...['127.0.0.1', '127.255.255.254', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
  ...['169.254.169.254', '100.64.0.1', '100.127.255.255', '0.0.0.0', '0.1.2.3', '224.0.0.1', '239.1.1.1'],
  ...['240.0.0.1', '255.255.255.255', '192.0.0.1', '192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.1'],
];
const PRIVATE_V6 = [
  ...['::', '::1', 'fc00::1', 'fd12:3456::1', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1', '2001:db8::1'],
  ...['::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:a9fe:a9fe', '::127.0.0.1', '::ffff:0:127.0.0.1'],
  ...['64:ff9b::127.0.0.1', '64:ff9b:1::1', '2002:7f00:1::', '2001::1', '100::1'],
];

describe('an address for webhooks', () => {
  for (const address of [...PUBLIC, ...PUBLIC_V6])
    it(`is public: ${address}`, () => expect(isPublic(address)).to.equal(true));

  for (const address of [...PRIVATE, ...PRIVATE_V6, '', 'localhost'])
    it(`is not public: ${address}`, () => expect(isPublic(address)).to.equal(false));
});

describe('a URL for webhooks', () => {
  it('is taken with https, a name or a public address', () => {
    const taken = ['https://example.com/events?a=b', 'https://8.8.8.8:8443/', 'https://[2606:4700::1]/'];
    for (const url of taken) expect(problemOfUrl(url, false), url).to.equal(undefined);
  });

  it('is refused without TLS, unless private networks are allowed', () => {
    expect(problemOfUrl('http://example.com', false)).to.match(/^is not an https:\/\/ URL; .*NETWORKS=on$/);
    expect(problemOfUrl('http://example.com', true)).to.equal(undefined);
  });

  it('is refused with a private address in any notation, unless private networks are allowed', () => {
    const hosts = [
      '127.0.0.1',
      '2130706433',
      '0x7f.1',
      '0177.0.0.1',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '10.0.0.1',
    ];
    for (const host of hosts) {
      expect(problemOfUrl(`https://${host}/`, false), host).to.match(/^has the private address /);
      expect(problemOfUrl(`https://${host}/`, true), host).to.equal(undefined);
    }
  });

  it('is refused with credentials, another scheme, or if it is none', () => {
    const wrong = ['https://user:secret@example.com/', 'ftp://example.com', 'example.com', ''];
    for (const url of [...wrong, `https://example.com/${'x'.repeat(2_000)}`])
      for (const allowsPrivate of [true, false])
        expect(problemOfUrl(url, allowsPrivate), url).to.match(/; /).and.not.include('secret');
  });
});
