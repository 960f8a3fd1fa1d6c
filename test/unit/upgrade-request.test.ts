import { expect } from 'chai';
import { readHeaders } from '../../src/net/headers.ts';
import { deviceOf, protocolOf, readUpgradeRequest, tokenOf } from '../../src/socket/upgradeRequest.ts';

describe('the token of an upgrade request', () => {
  it('is that of the Authorization header, before the subprotocol, before the query', () => {
    expect(tokenOf('Bearer one', 'auth, two', 'three')).to.equal('one');
    expect(tokenOf('', 'auth, two', 'three')).to.equal('two');
    expect(tokenOf('', '', 'three')).to.equal('three');
    expect(tokenOf('', 'chat', 'three')).to.equal('three');
  });

  it('is empty where the first place that is present holds none', () => {
    expect(tokenOf('Basic one', 'auth, two', 'three')).to.equal('');
    expect(tokenOf('', 'auth', 'three')).to.equal('');
    expect(tokenOf('', '', undefined)).to.equal('');
  });

  it('is not that of a protocol behind another one', () => {
    expect(tokenOf('', 'chat, auth, two', undefined)).to.equal('');
  });
});

describe('the subprotocol of the answer', () => {
  it('is the name alone, never the token', () => {
    expect(protocolOf('auth, secret')).to.equal('auth');
    expect(protocolOf(' auth ,secret')).to.equal('auth');
  });

  it('is none where none was offered, or another one', () => {
    for (const offered of ['', 'chat', 'chat, auth', 'authentication'])
      expect(protocolOf(offered)).to.equal('');
  });
});

describe('the device of an upgrade request', () => {
  it('is its name without control characters, cut at a hundred characters', () => {
    expect(deviceOf(' Ada’s\u0000phone\n')).to.equal('Ada’s phone');
    expect(deviceOf('x'.repeat(200))).to.have.length(100);
  });

  it('is null where the name is empty or says nothing', () => {
    for (const name of ['', '   ', '\u0007\u0007']) expect(deviceOf(name)).to.equal(null);
  });

  it('is well-formed text, also where the name is not, or is cut within a character', () => {
    for (const name of ['phone \ud800', `${'x'.repeat(99)}😀`])
      expect(deviceOf(name)?.isWellFormed()).to.equal(true);
  });
});

describe('an upgrade request', () => {
  /** Reads a request with these headers and query parameters. */
  function read(headers: Record<string, string>, query: Record<string, string> = {}) {
    const req = {
      forEach(take: (name: string, value: string) => void) {
        for (const [name, value] of Object.entries(headers)) take(name, value);
      },
      getQuery: (name: string) => query[name],
    } as never;
    return readUpgradeRequest({} as never, req, readHeaders(req), () => '10.0.0.1');
  }

  it('is read from its headers', () => {
    const request = read({
      authorization: 'Bearer one',
      'sec-websocket-protocol': 'auth, two',
      'sec-websocket-key': 'a key',
      'sec-websocket-extensions': 'permessage-deflate',
      'user-agent': 'a browser',
    });
    expect(request).to.deep.equal({
      token: 'one',
      apiKey: undefined,
      address: '10.0.0.1',
      device: 'a browser',
      key: 'a key',
      extensions: 'permessage-deflate',
      protocol: 'auth',
    });
  });

  it('may have its token and the name of the device in the query', () => {
    const request = read({ 'user-agent': 'a browser' }, { token: 'three', device: 'a phone' });
    expect(request).to.deep.equal({
      ...{ token: 'three', address: '10.0.0.1', device: 'a phone' },
      ...{ key: '', extensions: '', protocol: '', apiKey: undefined },
    });
  });

  it('has an API key in the header Authorization alone', () => {
    expect(read({ authorization: 'bearer pk_1_x' }).apiKey).to.equal('pk_1_x');
    expect(read({ 'sec-websocket-protocol': 'auth, pk_1_x' }, { token: 'pk_1_x' }).apiKey).to.equal(
      undefined,
    );
  });
});
