import { expect } from 'chai';
import { type RawAnswer, RawSocket, readAnswer, upgradeRequest } from '../fuzz/raw.ts';
import { newUser, type RunningServer, server, startServer, type User } from '../support/harness.ts';

/** Sends a raw request; resolves to the answer, and keeps the connection open until `raw` is destroyed. */
async function send(request: string, port: number): Promise<RawAnswer & { raw: RawSocket }> {
  const raw = new RawSocket(port);
  raw.socket.write(request);
  return { ...(await raw.until((bytes) => readAnswer(bytes), 'an answer')), raw };
}

/** Returns the status of an upgrade with these header lines. */
async function upgradeStatus(lines: readonly string[], path?: string): Promise<number> {
  const { status, raw } = await send(upgradeRequest(lines, path), server.port);
  raw.socket.destroy();
  return status;
}

/** Returns the status of an HTTP call that needs a token only: 400 for its empty body, or 401. */
async function callStatus(lines: readonly string[]): Promise<number> {
  const head = ['PATCH /users/me HTTP/1.1', 'Host: x', ...lines, 'Content-Length: 2'];
  const { status, raw } = await send(`${head.join('\r\n')}\r\n\r\n{}`, server.port);
  raw.socket.destroy();
  return status;
}

const bearer = ({ token }: User) => `Authorization: Bearer ${token}`;

describe('a repeated header', () => {
  describe('X-Forwarded-For of a trusted proxy', () => {
    let proxied: RunningServer;
    before(async () => {
      const env = { RATE_LIMITS: 'on', TRUST_PROXY: '127.0.0.1,10.0.0.0/8' };
      const limits = { LOGIN_FAILURES_PER_ADDRESS: '5', CONNECTIONS_PER_ADDRESS: '2' };
      proxied = await startServer({ ...env, ...limits });
    });
    after(() => proxied.close());

    it('gives the last address of all lines that is not a proxy', async () => {
      const ada = await newUser();
      const client = await ada.connect(proxied.url);
      const rows: [string, string[], string][] = [
        ['one', ['203.0.113.1'], '203.0.113.1'],
        ['appended', ['203.0.113.99', '203.0.113.2'], '203.0.113.2'],
        ['forged-twice', ['203.0.113.99', '203.0.113.98', '203.0.113.3'], '203.0.113.3'],
        ['through-two', ['203.0.113.99', '203.0.113.4, 10.0.0.1'], '203.0.113.4'],
        ['through-three', ['203.0.113.99, 203.0.113.5', '10.0.0.1', '10.0.0.2'], '203.0.113.5'],
        ['empty-first', ['', '203.0.113.6'], '203.0.113.6'],
        ['empty-last', ['203.0.113.7', ''], '203.0.113.7'],
        ['not-an-address', ['203.0.113.99', 'unknown'], '127.0.0.1'],
      ];
      for (const [device, addresses, address] of rows) {
        // the case of the name does not matter
        const lines = addresses.map(
          (value, index) => `${index % 2 ? 'X-FORWARDED-FOR' : 'x-forwarded-for'}: ${value}`,
        );
        const request = upgradeRequest([bearer(ada), ...lines], `/?device=${device}`);
        const { status, raw } = await send(request, proxied.port);
        expect(status, device).to.equal(101);
        const { data } = await client.done('listSessions');
        const session = data.find((row: { device: string }) => row.device === device);
        expect(session.address, device).to.equal(address);
        raw.socket.destroy();
      }
    });

    it('allows no more logins or connections than one address has', async () => {
      const ada = await newUser();
      const body = JSON.stringify({ username: ada.username, password: 'wrong' });
      const statuses: number[] = [];
      for (let n = 0; n < 8; n++) {
        const lines = [`X-Forwarded-For: 198.51.100.${n}`, 'X-Forwarded-For: 203.0.113.66'];
        const head = ['POST /auth/login HTTP/1.1', 'Host: x', ...lines, `Content-Length: ${body.length}`];
        const { status, raw } = await send(`${head.join('\r\n')}\r\n\r\n${body}`, proxied.port);
        raw.socket.destroy();
        statuses.push(status);
      }
      expect(statuses).to.deep.equal([...Array(5).fill(401), ...Array(3).fill(429)]);

      const upgrades = await Promise.all(
        [1, 2, 3].map((n) => {
          const lines = [`X-Forwarded-For: 198.51.100.${n}`, 'X-Forwarded-For: 203.0.113.67'];
          return send(upgradeRequest([bearer(ada), ...lines]), proxied.port);
        }),
      );
      expect(upgrades.map(({ status }) => status).sort()).to.deep.equal([101, 101, 429]);
      for (const { raw } of upgrades) raw.socket.destroy();
    });
  });

  it('is refused for Authorization, as a proxy may have checked another line', async () => {
    const [ada, bob] = [await newUser(), await newUser()];
    expect(await upgradeStatus([bearer(ada)])).to.equal(101);
    expect(await callStatus([bearer(ada)])).to.equal(400);
    for (const lines of [
      [bearer(ada), bearer(bob)],
      [bearer(ada), bearer(ada)],
      [bearer(ada), 'Authorization: Bearer x'],
      [bearer(ada), 'Authorization:'],
      ['Authorization:', bearer(ada)],
    ]) {
      expect(await upgradeStatus(lines), `${lines}`).to.equal(401);
      expect(await upgradeStatus(lines, `/?token=${ada.token}`), `${lines}`).to.equal(401);
      expect(await callStatus(lines), `${lines}`).to.equal(401);
    }
  });

  it('forms one list for Sec-WebSocket-Protocol (RFC 6455, 11.3.4)', async () => {
    const { token } = await newUser();
    const protocols = (...values: string[]) => values.map((value) => `Sec-WebSocket-Protocol: ${value}`);
    expect(await upgradeStatus(protocols('auth', token))).to.equal(101);
    expect(await upgradeStatus(protocols(`auth, ${token}`, 'another'))).to.equal(101);
    expect(await upgradeStatus(protocols('auth', `wrong, ${token}`))).to.equal(401);
  });

  /** Returns the answer to a request for the icon of the page with these header lines. */
  async function icon(...lines: string[]): Promise<RawAnswer> {
    const request = ['GET /icon.svg HTTP/1.1', 'Host: x', ...lines].join('\r\n');
    const { raw, ...answer } = await send(`${request}\r\n\r\n`, server.port);
    raw.socket.destroy();
    return answer;
  }

  it('forms one list of tags for If-None-Match, compared weakly (RFC 9110, 13.1.2)', async () => {
    const { etag } = (await icon()).headers;
    const compressed = (await icon('Accept-Encoding: br')).headers.etag;
    expect(compressed).not.to.equal(etag);
    const rows: [number, ...string[]][] = [
      [304, `${etag}`],
      [304, `W/${etag}`],
      [304, `"other", W/"another",${etag}`],
      [304, '"other"', `${etag}`],
      [304, `${etag}`, '"other"'],
      [304, '*'],
      [200, `"other", W/"another"`],
      [200, `${compressed}`],
      [200, `${etag?.replaceAll('"', '')}`],
      [200, ''],
    ];
    for (const [status, ...values] of rows) {
      const answer = await icon(...values.map((value) => `If-None-Match: ${value}`));
      expect(answer.status, `${values}`).to.equal(status);
      expect(answer.headers.etag, `${values}`).to.equal(etag);
    }
  });

  it('forms one list for Accept-Encoding, with the preferred coding of the client (RFC 9110, 12.5.3)', async () => {
    const rows: [string | undefined, ...string[]][] = [
      ['br', 'gzip, br'],
      ['br', 'gzip', 'br'],
      ['gzip', 'br;q=0.5', 'gzip;q=0.8'],
      ['gzip', 'br; q=0, *'],
      ['br', '*'],
      ['gzip', 'GZIP;Q=1'],
      [undefined, 'gzip;q=0', 'br;q=0.000'],
      [undefined, 'identity', 'deflate'],
      [undefined, ''],
    ];
    for (const [encoding, ...values] of rows) {
      const { headers } = await icon(...values.map((value) => `Accept-Encoding: ${value}`));
      expect(headers['content-encoding'], `${values}`).to.equal(encoding);
    }
  });

  it('allows no origin for Origin', async () => {
    const strict = await startServer({ CORS_ORIGINS: 'https://app.example.com' });
    for (const [origins, allowed] of [
      [['https://app.example.com'], 'https://app.example.com'],
      [['https://app.example.com', 'https://evil.example.com'], undefined],
    ] as const) {
      const lines = origins.map((origin) => `Origin: ${origin}\r\n`).join('');
      const { headers, raw } = await send(
        `GET /health/live HTTP/1.1\r\nHost: x\r\n${lines}\r\n`,
        strict.port,
      );
      raw.socket.destroy();
      expect(headers['access-control-allow-origin']).to.equal(allowed);
    }
    await strict.close();
  });
});
