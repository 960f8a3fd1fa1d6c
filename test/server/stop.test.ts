import { once } from 'node:events';
import { expect } from 'chai';
import { RawSocket } from '../fuzz/raw.ts';
import { freePort, newUser, type RunningServer, startServer } from '../support/harness.ts';

const REQUEST = (method: string, path: string) => `${method} ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

/** A connection that the server has accepted: it has answered a request there. */
async function usedConnection({ port }: RunningServer): Promise<RawSocket> {
  const raw = new RawSocket(port);
  raw.socket.write(REQUEST('GET', '/health/live'));
  await raw.until((bytes) => (bytes.includes('\r\n\r\n') ? true : undefined), 'the answer');
  raw.received = Buffer.alloc(0);
  return raw;
}

describe('a server that stops', () => {
  for (const [request, status] of [
    [REQUEST('GET', '/docs/'), 200],
    [REQUEST('HEAD', '/docs/'), 200],
    [REQUEST('GET', '/health/ready'), 503],
    [REQUEST('GET', '/nothing/here'), 404],
    [
      'OPTIONS /auth/login HTTP/1.1\r\nHost: x\r\nOrigin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n\r\n',
      204,
    ],
  ] as const)
    it(`answers ${request.split(' HTTP')[0]} on an open connection, and ends that connection`, async () => {
      const server = await startServer();
      const connection = await usedConnection(server);
      const stopped = server.close();
      connection.socket.write(request);
      const [head = '', body = ''] = String(await connection.ended()).split('\r\n\r\n');
      expect(head.split('\r\n')[0]).to.match(new RegExp(`^HTTP/1.1 ${status} `));
      expect(head.toLowerCase()).to.include('connection: close');
      const length = /content-length: (\d+)/i.exec(head)?.[1];
      if (request.startsWith('GET')) expect(Buffer.byteLength(body)).to.equal(Number(length));
      else expect(body).to.equal('');
      await stopped;
    });

  it('refuses upgrades on an open connection with 503, and says when to try again', async () => {
    const server = await startServer();
    const { token } = await newUser();
    const connection = await usedConnection(server);
    const stopped = server.close();
    connection.socket.write(
      [
        `GET /?token=${token} HTTP/1.1`,
        ...['Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
      ].join('\r\n'),
    );
    const answer = await connection.until(
      (bytes) => (bytes.includes('}') ? String(bytes) : undefined),
      'the refusal',
    );
    expect(answer).to.match(/^HTTP\/1\.1 503 /);
    expect(answer.toLowerCase()).to.include('retry-after: 1\r\n');
    await stopped;
  });

  it('ends all its timers', async () => {
    const { setInterval: original } = globalThis;
    const timers: NodeJS.Timeout[] = [];
    const noting = (...parameters: Parameters<typeof original>) => {
      const timer = original(...parameters);
      timers.push(timer);
      return timer;
    };
    globalThis.setInterval = noting as typeof original;
    let server: RunningServer;
    try {
      server = await startServer();
    } finally {
      globalThis.setInterval = original;
    }
    expect(timers).to.have.length.above(4);
    await server.close();
    const left = timers.filter((timer) => !Reflect.get(timer, '_destroyed'));
    expect(left.map((timer) => Reflect.get(timer, '_onTimeout').toString())).to.deep.equal([]);
  });

  it('answers the first request of a connection that was opened just before', async () => {
    const server = await startServer();
    const connection = new RawSocket(server.port);
    await once(connection.socket, 'connect');
    const stopped = server.close();
    connection.socket.write(REQUEST('GET', '/health/live'));
    expect(String(await connection.ended())).to.match(/^HTTP\/1\.1 200 /);
    await stopped;
  });

  it('answers the first request of a connection that waits to be accepted', async () => {
    const server = await startServer();
    const stopped = server.close();
    const connection = new RawSocket(server.port);
    connection.socket.write(REQUEST('GET', '/health/live'));
    expect(String(await connection.ended())).to.match(/^HTTP\/1\.1 200 /);
    await stopped;
  });

  it('leaves new connections to the others at once if they share its port', async () => {
    const shared = { SHARES_PORT: 'on', DRAIN_SECONDS: '1', PORT: String(await freePort()) };
    const leaving = await startServer(shared);
    const ada = await newUser(leaving.url);
    for (let n = 0; n < 3; n++) await ada.connect(leaving.url); // the stop closes one after another
    const staying = await startServer(shared);
    const stopped = leaving.close();
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate); // until it does not listen any more
    try {
      for (let n = 0; n < 20; n++) {
        const connection = new RawSocket(staying.port);
        connection.socket.write(REQUEST('GET', '/health/ready'));
        const head = await connection.until(
          (bytes) => /^HTTP\/1\.1 (\d+)/.exec(String(bytes))?.[1],
          'the answer',
        );
        expect(head).to.equal('200');
        connection.socket.destroy();
      }
    } finally {
      await Promise.all([stopped, staying.close()]);
    }
  });
});
