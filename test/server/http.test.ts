import { Agent, request } from 'node:http';
import { expect } from 'chai';
import { http, newUser, server, startServer } from '../support/harness.ts';

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
  });

  it('refuses a body over the limit with 413', async () => {
    const { status, body } = await http('POST', '/auth/login', { body: { password: 'x'.repeat(70_000) } });
    expect([status, body.code]).to.deep.equal([413, 'PAYLOAD_TOO_LARGE']);
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
    expect(response.headers.get('access-control-allow-headers')).to.match(/authorization/i);
    const error = await fetch(`${server.url}/auth/login`, {
      method: 'POST',
      headers: { origin: 'https://app.example.com' },
    });
    expect(error.headers.get('access-control-allow-origin')).to.equal('*');
  });

  it('allows only the configured origins', async () => {
    const strict = await startServer({ CORS_ORIGINS: 'https://app.example.com, https://other.example.com' });
    const allowed = async (origin: string) => {
      const response = await fetch(`${strict.url}/health/live`, { headers: { origin } });
      return response.headers.get('access-control-allow-origin');
    };
    expect(await allowed('https://other.example.com')).to.equal('https://other.example.com');
    expect(await allowed('https://evil.example.com')).to.equal(null);
    await strict.close();
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
    if (process.platform === 'linux') expect(body).to.match(/^process_open_fds [1-9]/m);
  });
});
