import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { execPath } from 'node:process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { connect } from '../support/client.ts';
import {
  database,
  databaseUrl,
  http,
  JWT_SECRET,
  newClients,
  newUser,
  newUsers,
  temporaryFolder,
} from '../support/harness.ts';
import { isInstalled } from '../support/installed.ts';
import { type ServerProcess, spawnServer, startProcess } from '../support/process.ts';
import { until } from '../support/until.ts';

/** The requests that the other servers of an operator receive. */
class Receiver {
  readonly bodies: { path: string; body: string }[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        this.bodies.push({ path: request.url ?? '', body });
        response.setHeader('content-type', 'application/json').end('{}');
      });
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves when a matching request has arrived. */
  async until(matches: (body: string) => boolean): Promise<string> {
    const deadline = Date.now() + 15_000;
    for (;;) {
      const found = this.bodies.find(({ body }) => matches(body));
      if (found) return found.body;
      if (Date.now() > deadline) throw new Error('no matching request arrived');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

interface Span {
  readonly name: string;
  readonly spanId: string;
  readonly traceId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: { key: string; value: { stringValue?: string } }[];
}

/** Returns all output of a server that `stop` stops once it listens. */
async function outputUntilStopped(child: ChildProcess, stop: () => void): Promise<string> {
  let text = '';
  let listens = false;
  child.stdout?.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
    if (listens || !/Open http|"listening"/.test(text)) return;
    listens = true;
    stop();
  });
  await once(child, 'close');
  return text;
}

/** Runs a server on a terminal of its own, stops it with Ctrl+C once it listens, and returns what the terminal shows. */
async function onTerminal(settings: Record<string, string>): Promise<{ text: string; code: number | null }> {
  const env = { DATABASE_URL: databaseUrl(), JWT_SECRET, TERM: 'xterm', ...settings };
  const terminal = ['sh', '-c', 'exec script -qefc "exec $*" /dev/null', 'sh'];
  const child = spawnServer(env, ['pipe', 'pipe', 'inherit'], undefined, terminal);
  const text = await outputUntilStopped(child, () => child.stdin?.write('\x03'));
  return { text, code: child.exitCode };
}

describe('the observability', function () {
  this.timeout(60_000);
  let process: ServerProcess | undefined;
  const start = async (env: Record<string, string> = {}) => {
    process = await startProcess({ DATABASE_URL: databaseUrl(), JWT_SECRET, ...env });
    return process;
  };
  afterEach(() => process?.stop('SIGKILL'));

  const logged = async (server: ServerProcess, matches: (line: Record<string, unknown>) => boolean) => {
    const deadline = Date.now() + 10_000;
    for (;;) {
      const line = server.log.find(matches);
      if (line) return line;
      if (Date.now() > deadline) throw new Error('no such line was logged');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  it('has one id for an error in the reply, in the log and in Sentry, without content of users', async () => {
    const sentry = new Receiver();
    const port = await sentry.listen();
    const server = await start({ SENTRY_DSN: `http://key@127.0.0.1:${port}/1` });
    const [ada, bob] = await newUsers(2);
    const client = await connect(server.url, ada.token);
    const { messageId } = await client.done('privateMessage', { receiverId: bob.id, content: 'a' });
    // an error in the server: a constraint that it does not know
    await database.sequelize.query(
      `alter table messages add constraint surprise check (content <> 'my secret words') not valid`,
    );
    try {
      const reply = await client.call('editMessage', { messageId, content: 'my secret words' });
      expect(reply).to.include({ error: true, code: 'INTERNAL' });
      const id = /^The server failed on this request \((\d+\.\d+)\)$/.exec(reply.message)?.[1];
      const line = await logged(server, ({ requestId }) => requestId === id);
      expect(line).to.include({ msg: 'command failed', type: 'editMessage', level: 50 });
      expect(JSON.stringify(line)).to.include('surprise').and.not.include('secret words');
      const event = await sentry.until((body) => body.includes('exception'));
      expect(event).to.include(`"requestId":"${id}"`).and.include('"type":"editMessage"');
      expect(event).to.include('surprise').and.not.include('secret words');
      const body = { email: `x${ada.email}`, username: `x${ada.username}`, password: 'correct horse' };
      await database.sequelize.query(
        `alter table users add constraint surprise check (username <> '${body.username}') not valid`,
      );
      const refused = await http('POST', '/auth/register', { body, url: server.url });
      expect([refused.status, refused.body.code]).to.deep.equal([500, 'INTERNAL']);
      const shown = /\((.+)\)$/.exec(refused.body.message)?.[1];
      const request = await logged(server, ({ requestId }) => requestId === shown);
      expect(request).to.include({ method: 'POST', path: '/auth/register' });
      expect(JSON.stringify(request)).to.not.match(/\$2b\$/);
    } finally {
      await database.sequelize.query('alter table messages drop constraint if exists surprise');
      await database.sequelize.query('alter table users drop constraint if exists surprise');
      sentry.close();
    }
  });

  it('traces a message from the frame to the commit and the push, and calls over HTTP', async () => {
    const collector = new Receiver();
    const port = await collector.listen();
    const server = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '100',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
    });
    const [ada, bob] = await newUsers(2);
    const client = await connect(server.url, ada.token);
    await client.done('privateMessage', { receiverId: bob.id, content: 'traced words' });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await http('GET', '/health/ready', { url: server.url, headers: { traceparent } });
    await collector.until((body) => body.includes('GET /health/ready'));
    const text = await collector.until((body) => body.includes('"commit"'));
    expect(text).to.include('"parley"').and.include('deployment.environment').and.not.include('traced words');
    const spans: Span[] = collector.bodies.flatMap(({ path, body }) =>
      path === '/v1/traces'
        ? JSON.parse(body).resourceSpans.flatMap(({ scopeSpans }: { scopeSpans: { spans: Span[] }[] }) =>
            scopeSpans.flatMap(({ spans }) => spans),
          )
        : [],
    );
    const named = (name: string) => spans.find((span) => span.name === name) as Span;
    const [frame, commit, push] = ['privateMessage', 'commit', 'push'].map(named) as [Span, Span, Span];
    expect([commit.parentSpanId, push.parentSpanId]).to.deep.equal([frame.spanId, frame.spanId]);
    const times = [
      frame.startTimeUnixNano,
      commit.startTimeUnixNano,
      commit.endTimeUnixNano,
      push.endTimeUnixNano,
      frame.endTimeUnixNano,
    ].map(Number);
    expect(times.every((time, n) => n === 0 || time >= (times[n - 1] as number) - 1e6)).to.equal(true);
    const call = named('GET /health/ready');
    expect(traceparent).to.include(`${call.traceId}-${call.parentSpanId}`);
    collector.close();
  });

  for (const [variable, name] of [
    ['SENTRY_DSN', '@sentry/core'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', '@opentelemetry/sdk-node'],
  ] as const)
    it(`refuses ${variable} with one line where the optional package is not installed`, async () => {
      const folder = await temporaryFolder();
      try {
        await cp('dist', join(folder, 'dist'), { recursive: true });
        await cp('package.json', join(folder, 'package.json'));
        await mkdir(join(folder, 'node_modules'));
        for (const entry of await readdir('node_modules'))
          if (!name.startsWith(`${entry}/`))
            await symlink(resolve('node_modules', entry), join(folder, 'node_modules', entry));
        // OpenTelemetry's interface is installed by itself: prom-client needs it
        if (variable === 'OTEL_EXPORTER_OTLP_ENDPOINT') {
          await mkdir(join(folder, 'node_modules/@opentelemetry'));
          const api = 'node_modules/@opentelemetry/api';
          await symlink(resolve(api), join(folder, api));
        }
        const env = { DATA_DIR: folder, PORT: '0', [variable]: 'http://key@127.0.0.1:9/1' };
        const started = promisify(execFile)(execPath, ['dist/main.js'], { cwd: folder, env });
        const { code, stderr, stdout } = await started.catch((error) => error);
        expect({ code, stderr, stdout }).to.deep.equal({
          code: 1,
          stderr: `${variable} is set, but the optional package ${name} is not installed; run: npm install --omit=dev --no-save --save-prod ${name}\n`,
          stdout: '',
        });
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });

  it('logs lines for people on a terminal, the last of which says where to open the page', async function () {
    if (!isInstalled('script')) return this.skip();
    const { text, code } = await onTerminal({});
    const url = /Open (http:\/\/localhost:\d+) in a browser/.exec(text)?.[1];
    expect(text).to.match(/^\S*\[\d\d:\d\d:\d\d] \S*INFO\S*: /);
    expect(text).to.include(`Documents: ${url}/docs/, metrics: ${url}/metrics`).and.include('stopped');
    expect(text).to.not.match(/^\{/m);
    expect(code).to.equal(0);
  });

  it('logs JSON on a terminal with LOG_FORMAT=json', async function () {
    if (!isInstalled('script')) return this.skip();
    const { text } = await onTerminal({ LOG_FORMAT: 'json' });
    const messages = text.split('\r\n').map((line) => line.startsWith('{') && JSON.parse(line).msg);
    expect(messages).to.include.members(['listening', 'stopped']);
  });

  it('logs lines for people, without colours, where there is no terminal but LOG_FORMAT=pretty', async () => {
    const env = { DATABASE_URL: databaseUrl(), JWT_SECRET, LOG_FORMAT: 'pretty' };
    const child = spawnServer(env, ['ignore', 'pipe', 'inherit']);
    const text = await outputUntilStopped(child, () => child.kill('SIGTERM'));
    expect(text).to.match(/^\[\d\d:\d\d:\d\d] INFO: Open http:\/\/localhost:\d+ in a browser/m);
    expect(text).to.match(/^\[\d\d:\d\d:\d\d] INFO: stopping \{"reason":"SIGTERM"}$/m);
  });

  it('logs a summary on SIGUSR2', async () => {
    const server = await start();
    const [ada] = await newClients(1);
    await connect(server.url, ada.token);
    server.child.kill('SIGUSR2');
    const line = await logged(server, ({ msg }) => msg === 'summary');
    expect(line).to.include({ connections: 1, users: 1, queue: 0, accepting: true });
    expect(line).to.have.nested.property('memoryBytes.rss').above(1e6);
    expect(line).to.have.nested.property('databasePools.reads');
  });

  it('logs a command with its session at the level debug', async () => {
    const server = await start({ LOG_LEVEL: 'debug' });
    const ada = await newUser();
    const client = await connect(server.url, ada.token);
    await client.call('ping');
    await client.call('leaveGroup', { groupId: 2 ** 40 });
    const opened = await logged(server, ({ msg }) => msg === 'connection opened');
    expect(opened).to.include({ userId: ada.id, address: '127.0.0.1' });
    const line = await logged(server, ({ type }) => type === 'leaveGroup');
    expect(line).to.include({ msg: 'command', outcome: 'NOT_FOUND', requestId: `${opened.sessionId}.2` });
    await client.close();
    const closed = await logged(server, ({ msg }) => msg === 'connection closed');
    expect(closed).to.include({ connection: opened.connection, code: 1006 });
  });

  it('logs a call over HTTP with its address at the level debug, and not its token', async () => {
    const server = await start({ LOG_LEVEL: 'debug' });
    const { token, username } = await newUser();
    await http('PATCH', '/users/me', { url: server.url, token, body: { username } });
    const line = await logged(server, ({ msg }) => msg === 'http request');
    expect(line).to.include({ method: 'PATCH', path: '/users/me', status: 200, address: '127.0.0.1' });
    expect(line.requestId).to.be.a('string');
    expect(JSON.stringify(line)).not.to.include(token);
  });

  it('logs the user of a read that took too long', async () => {
    const server = await start();
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    const client = await connect(server.url, ada.token);
    const reply = await database.transaction(async (transaction) => {
      await database.execute('lock table pins in access exclusive mode', [], transaction);
      const reply = client.call('getMessages', { receiverId: bob.id });
      const cancel = `select pg_cancel_backend(pid) from pg_stat_activity
        where wait_event_type = 'Lock' and application_name = 'parley reads'`;
      await until(async () => (await database.query(cancel, [])).length > 0);
      return reply;
    });
    expect(reply.code).to.equal('TIMEOUT');
    const line = await logged(server, ({ msg }) => msg === 'statement timed out');
    expect(line).to.include({ level: 40, type: 'getMessages', userId: ada.id, unlogged: 0 });
    expect(line).to.have.property('requestId');
  });

  it('warns about a blocked event loop, after which clients continue', async () => {
    const server = await start();
    const ada = await newUser();
    const client = await connect(server.url, ada.token);
    server.child.kill('SIGSTOP');
    const answer = client.call('ping');
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    server.child.kill('SIGCONT');
    expect((await answer).success).to.equal(true);
    const line = await logged(server, ({ msg }) => msg === 'event loop blocked');
    expect(line.ms).to.be.within(1_500, 10_000);
  });
});
