import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { expect } from 'chai';
import { BODY_BYTES } from '../../src/limits.ts';
import { http, metric, newUser, server, startServer } from '../support/harness.ts';
import { until, within } from '../support/until.ts';

/** Begins a call with a body of so many bytes, of which only the first two are sent. */
function beginCall(method: string, path: string, token: string): ClientRequest {
  const headers = { 'content-length': 1000, authorization: `Bearer ${token}` };
  const call = request(server.url + path, { method, headers, agent: false });
  call.on('error', () => {});
  call.write('{ ');
  return call;
}

const unanswered = (of = server) => (of.summary() as { unanswered: number }).unanswered;

describe('HTTP', () => {
  it('answers unknown routes with 404 and wrong methods with 405, with a body like every error', async () => {
    const missing = await http('GET', '/nothing/here');
    expect([missing.status, missing.body]).to.deep.equal([
      404,
      { error: true, code: 'NOT_FOUND', message: 'No resource at /nothing/here' },
    ]);
    const wrong = await http('GET', '/users/me');
    expect([wrong.status, wrong.headers.get('allow'), wrong.body.code]).to.deep.equal([
      405,
      'PATCH, DELETE',
      'METHOD_NOT_ALLOWED',
    ]);
    expect((await http('PUT', '/health/live')).status).to.equal(405);
    const page = await http('POST', '/docs/');
    expect([page.status, page.headers.get('allow')]).to.deep.equal([405, 'GET']);
  });

  it('takes a body of exactly the limit, and refuses one of a byte more with 413', async () => {
    const padded = (bytes: number) => '{"username":"nobody-here","password":"wrong password"}'.padEnd(bytes);
    const taken = await http('POST', '/auth/login', { body: padded(BODY_BYTES) });
    expect([taken.status, taken.body.code]).to.deep.equal([401, 'UNAUTHORIZED']);
    const refused = await http('POST', '/auth/login', { body: padded(BODY_BYTES + 1) });
    expect([refused.status, refused.body.code]).to.deep.equal([413, 'PAYLOAD_TOO_LARGE']);
    expect(refused.headers.get('connection')).to.equal('close'); // the rest is not read
  });

  it('has room for a body again after each answer', async () => {
    const body = 'x'.repeat(BODY_BYTES);
    const statuses = new Set<number>();
    for (let n = 0; n < 70; n++) statuses.add((await http('POST', '/auth/login', { body })).status);
    expect([...statuses]).to.deep.equal([400]);
  });

  it('refuses further bodies of an address that holds its share of the memory, and takes those of others', async () => {
    const busy = await startServer({ TRUST_PROXY: 'loopback' });
    const calls: ClientRequest[] = [];
    const begin = (address: string) => {
      const headers = { 'content-length': BODY_BYTES, 'x-forwarded-for': address };
      const call = request(`${busy.url}/auth/login`, { method: 'POST', headers, agent: false });
      call.on('error', () => {});
      call.write('x'.repeat(BODY_BYTES - 1));
      calls.push(call);
      return call;
    };
    try {
      const held = Array.from({ length: 64 }, () => begin('203.0.113.1'));
      await until(() => unanswered(busy) === held.length);
      await until(async () => {
        const call = begin('203.0.113.1');
        const answered = once(call, 'response').then(([answer]) => (answer as IncomingMessage).statusCode);
        return (await within(answered, 1_000)) === 503;
      });
      const other = begin('203.0.113.2');
      other.end('x');
      const [answer] = (await once(other, 'response')) as [IncomingMessage];
      expect(answer.statusCode).to.equal(400);
    } finally {
      for (const call of calls) call.destroy();
      await busy.close();
    }
  });

  it('refuses a wrong token before the body has come', async () => {
    const call = beginCall('PATCH', '/users/me', 'wrong');
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    expect(answer.statusCode).to.equal(401);
    call.destroy();
  });

  it('counts no call as unanswered that was refused, failed or left by its client', async () => {
    const { token } = await newUser();
    const left = beginCall('PATCH', '/users/me', token);
    await until(() => unanswered() === 1);
    left.destroy();
    expect((await http('PATCH', '/users/me', { token: 'wrong', body: {} })).status).to.equal(401);
    expect((await http('POST', '/auth/login', { body: 'no JSON' })).status).to.equal(400);
    await until(() => unanswered() === 0);
  });

  it('forbids caches to store answers with a token, and all others but those of files', async () => {
    const account = { email: 'stored@example.com', username: 'stored', password: 'correct horse' };
    const { username, password } = account;
    const registered = await http('POST', '/auth/register', { body: account });
    const { token } = registered.body;
    const change = { password: 'another password', currentPassword: password };
    const answers = {
      registration: registered,
      login: await http('POST', '/auth/login', { body: { username, password } }),
      'new password': await http('PATCH', '/users/me', { token, body: change }),
      refusal: await http('PATCH', '/users/me', { token, body: {} }),
      health: await http('GET', '/health/live'),
      'no resource': await http('GET', '/nothing/here'),
    };
    expect([answers.login.body.token, answers['new password'].body.token]).to.satisfy((all: unknown[]) =>
      all.every((one) => typeof one === 'string'),
    );
    for (const [name, { headers }] of Object.entries(answers))
      expect(headers.get('cache-control'), name).to.equal('no-store');
    for (const path of ['/docs/', '/asyncapi.yaml', '/docs/search.js'])
      expect((await http('GET', path)).headers.get('cache-control'), path).to.equal('no-cache');
  });

  it('lets no browser guess the type of an answer, or show a page within another one', async () => {
    const etag = (await http('GET', '/docs/')).headers.get('etag') ?? '';
    const preflight = { origin: 'https://app.example.com', 'access-control-request-method': 'POST' };
    for (const [method, path, status, headers = {}, body] of [
      ['GET', '/health/live', 200],
      ['GET', '/metrics', 200],
      ['GET', '/docs/', 200],
      ['GET', '/docs/', 304, { 'if-none-match': etag }],
      ['GET', '/docs/', 304, { 'if-none-match': '*' }],
      ['GET', '/docs/', 304, { 'if-none-match': `"another", W/${etag}` }],
      ['GET', '/docs/', 200, { 'if-none-match': '"another"' }],
      ['GET', '/openapi.yaml', 200],
      ['GET', '/docs', 302],
      ['HEAD', '/docs/', 200],
      ['GET', '/nothing/here', 404],
      ['PUT', '/health/live', 405],
      ['POST', '/auth/login', 400, {}, '{}'],
      ['POST', '/auth/login', 413, {}, 'x'.repeat(BODY_BYTES + 1)],
      ['OPTIONS', '/auth/login', 204, preflight],
    ] as const) {
      const answer = await http(method, path, { headers, body });
      expect(
        [answer.status, answer.headers.get('x-content-type-options')],
        `${method} ${path}`,
      ).to.deep.equal([status, 'nosniff']);
    }
    const chunked = await fetch(`${server.url}/auth/login`, {
      ...{ method: 'POST', body: new Blob(['{}']).stream(), duplex: 'half' },
    } as RequestInit);
    expect([chunked.status, chunked.headers.get('x-content-type-options')]).to.deep.equal([400, 'nosniff']);
    for (const path of ['/', '/docs/', '/api/']) {
      const policy = (await fetch(server.url + path)).headers.get('content-security-policy');
      expect(policy, path).to.include("frame-ancestors 'none'");
    }
  });

  it('refuses a body that is not UTF-8', async () => {
    const body = Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]);
    const response = await fetch(`${server.url}/auth/login`, { method: 'POST', body });
    expect(response.status).to.equal(400);
  });

  it('continues when a client disconnects in the middle of a body', async () => {
    await new Promise<void>((resolve) => {
      const call = request(`${server.url}/auth/login`, {
        method: 'POST',
        headers: { 'content-length': 1000 },
      });
      call.on('error', () => resolve());
      call.write('{"username":', () => call.destroy());
    });
    expect((await http('GET', '/health/live')).status).to.equal(200);
  });

  it('refuses bearer tokens that are missing, malformed or with another scheme', async () => {
    const { token } = await newUser();
    for (const authorization of ['', 'Bearer', 'Bearer ', 'Bearer a.b.c', `Basic ${token}`, token]) {
      const response = await fetch(`${server.url}/users/me`, {
        method: 'PATCH',
        headers: { authorization },
        body: '{}',
      });
      expect(response.status, authorization).to.equal(401);
      expect(response.headers.get('www-authenticate')).to.equal('Bearer');
    }
  });

  it('allows any origin by default, and answers a preflight', async () => {
    const response = await fetch(`${server.url}/auth/login`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example.com', 'access-control-request-method': 'POST' },
    });
    expect(response.status).to.equal(204);
    expect(response.headers.get('access-control-allow-origin')).to.equal('*');
    expect(response.headers.get('access-control-allow-headers')).to.equal('Authorization, Content-Type');
    expect(response.headers.get('access-control-allow-methods')).to.equal('GET, POST, PATCH, DELETE');
    expect(response.headers.get('access-control-max-age')).to.equal('86400');
    const error = await fetch(`${server.url}/auth/login`, {
      method: 'POST',
      headers: { origin: 'https://app.example.com' },
    });
    expect(error.headers.get('access-control-allow-origin')).to.equal('*');
  });

  it('allows only the configured origins, and says that answers differ by the origin', async () => {
    const strict = await startServer({ CORS_ORIGINS: 'https://app.example.com, https://other.example.com' });
    try {
      const [own, other] = ['https://other.example.com', 'https://evil.example.com'];
      const requested = { 'access-control-request-method': 'POST' };
      for (const [method, path, status, headers] of [
        ['GET', '/health/live', 200],
        ['GET', '/metrics', 200],
        ['POST', '/auth/login', 400],
        ['DELETE', '/users/me', 401],
        ['GET', '/users/me', 405],
        ['GET', '/nothing/here', 404],
        ['OPTIONS', '/auth/login', 204, requested],
      ] as const)
        for (const [origin, allowed] of [
          [own, own],
          [other, null],
          [`${own}.evil.example`, null],
          [undefined, null],
        ] as const) {
          const sent = { ...headers, ...(origin !== undefined && { origin }) };
          const answer = await http(method, path, { url: strict.url, headers: sent });
          expect(
            [answer.status, answer.headers.get('access-control-allow-origin'), answer.headers.get('vary')],
            `${method} ${path} from ${origin}`,
          ).to.deep.equal([status, allowed, 'Origin']);
        }
    } finally {
      await strict.close();
    }
  });

  it('reports that it is live and ready, to HEAD as well', async () => {
    for (const path of ['/health/live', '/health/ready']) {
      const { status, body } = await http('GET', path);
      expect([status, body]).to.deep.equal([200, { status: 'ok' }]);
      expect((await http('HEAD', path)).status).to.equal(200);
    }
  });

  it('answers the readiness with no other method', async () => {
    for (const method of ['OPTIONS', 'POST'])
      expect((await http(method, '/health/ready')).status, method).to.equal(405);
  });

  it('answers HEAD like GET without the body, and keeps the connection usable', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const call = (method: string, path: string) =>
      new Promise<[number | undefined, number]>((resolve, reject) => {
        request(server.url + path, { method, agent }, (answer) => {
          let bytes = 0;
          answer.on('data', (chunk) => {
            bytes += chunk.length;
          });
          answer.on('end', () => resolve([answer.statusCode, bytes]));
        })
          .on('error', reject)
          .end();
      });
    for (const path of ['/docs/', '/asyncapi.yaml', '/health/live', '/nothing/here', '/auth/login']) {
      const [status, bytes] = await call('GET', path);
      expect(bytes, path).to.be.greaterThan(0);
      for (let round = 0; round < 2; round++) {
        expect(await call('HEAD', path), path).to.deep.equal([status, 0]);
        expect(await call('GET', path), path).to.deep.equal([status, bytes]);
      }
    }
    agent.destroy();
  });

  it('serves metrics as Prometheus text', async () => {
    const client = await (await newUser()).connect();
    await client.call('listLastMessage');
    const { status, headers, body } = await http('GET', '/metrics');
    expect(status).to.equal(200);
    expect(headers.get('content-type')).to.match(/^text\/plain; version=0\.0\.4/);
    expect(body).to.match(/^parley_connections [1-9]/m);
    expect(body).to.match(/^parley_commands_total\{type="listLastMessage",outcome="ok"\} [1-9]/m);
    for (const name of [
      'parley_batch_messages_bucket',
      'parley_writer_queue',
      'nodejs_eventloop_lag_seconds',
    ])
      expect(body).to.include(name);
    const calls = 'parley_http_request_seconds_count{method="POST",route="/auth/login",status="400"}';
    const before = await metric(server, calls);
    await http('POST', '/auth/login', { body: {} });
    expect(await metric(server, calls)).to.equal(before + 1);
    if (process.platform === 'linux') expect(body).to.match(/^process_open_fds [1-9]/m);
  });

  it('counts connections and the users they are of, until they are closed', async () => {
    const counts = async () => [
      await metric(server, 'parley_connections'),
      await metric(server, 'parley_users'),
    ];
    await until(async () => (await metric(server, 'parley_connections')) === 0); // those of the tests before
    const [ada, bob] = [await newUser(), await newUser()];
    const clients = [await ada.connect(), await ada.connect(), await bob.connect()];
    expect(await counts()).to.deep.equal([3, 2]);
    await clients[0]?.close();
    await until(async () => (await metric(server, 'parley_connections')) === 2);
    expect(await counts()).to.deep.equal([2, 2]);
    await Promise.all(clients.map((client) => client.close()));
    await until(async () => (await metric(server, 'parley_connections')) === 0);
    expect(await counts()).to.deep.equal([0, 0]);
  });
});
