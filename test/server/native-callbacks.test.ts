import uWS from 'uWebSockets.js';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import type { Logger } from 'pino';
import { createTokens } from '../../src/auth/tokens.ts';
import { createMemoryTransport } from '../../src/bus/memory.ts';
import { createOrderedBus } from '../../src/bus/orderedBus.ts';
import type { RouteServices } from '../../src/http/define.ts';
import { type Page, page } from '../../src/http/pages.ts';
import { respond, respondError } from '../../src/http/response.ts';
import { createRouter } from '../../src/http/router.ts';
import { webPages } from '../../src/http/webPages.ts';
import type { UserId } from '../../src/ids.ts';
import { defaultLimits } from '../../src/limits.ts';
import { openCorkHost } from '../../src/net/corkHost.ts';
import { createGuard } from '../../src/net/guard.ts';
import { createLog } from '../../src/observability/log.ts';
import type { Metrics } from '../../src/observability/metrics.ts';
import type { PresenceChanges } from '../../src/presence/PresenceChanges.ts';
import type { SessionLog } from '../../src/sessions/SessionLog.ts';
import type { Admission } from '../../src/socket/admission.ts';
import type { Connection } from '../../src/socket/Connection.ts';
import { Connections } from '../../src/socket/Connections.ts';
import type { ServiceConnections } from '../../src/socket/ServiceConnections.ts';
import type { SocketConnection } from '../../src/socket/SocketConnection.ts';
import { watchSendBuffers } from '../../src/socket/sendBuffers.ts';
import type { ServiceKeys } from '../../src/socket/upgrade.ts';
import { createWebSocketRoutes } from '../../src/socket/webSocket.ts';
import { connectAs, JWT_SECRET, temporaryFolder } from '../support/harness.ts';
import { id } from '../support/ids.ts';
import { until } from '../support/until.ts';

/** A log, and its lines. */
function listeningLog(): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  return {
    log: createLog({ level: 'error', stream: { write: (line) => lines.push(JSON.parse(line)) } }),
    lines,
  };
}

describe('a callback from native code', () => {
  it('has its error logged with an id and rethrown, thrown or rejected', async () => {
    const { log, lines } = listeningLog();
    const guard = createGuard(log);
    const failures: string[] = [];
    const failed = ({ code, message }: { code: string; message: string }, name: string) =>
      failures.push(`${name} ${code} ${message}`);
    const fail = () => {
      throw new Error('oh');
    };
    guard('thrower', (_name: string) => fail(), failed)('Ada');
    guard('rejecter', async (_name: string) => fail(), failed)('Bob');
    guard('stubborn', (_name: string) => fail(), fail)('Cleo');
    await turn();
    expect(lines.map(({ msg }) => msg)).to.deep.equal([
      'thrower failed',
      'stubborn failed',
      'rejecter failed',
    ]);
    expect(failures).to.deep.equal([
      `Ada INTERNAL The server failed on this request (${lines[0]?.requestId})`,
      `Bob INTERNAL The server failed on this request (${lines[2]?.requestId})`,
    ]);
  });
});

describe('an HTTP server with a failing page', () => {
  let app: uWS.TemplatedApp;
  let url: string;
  const { log, lines } = listeningLog();

  async function serve(pages: ReadonlyMap<string, Page>): Promise<void> {
    app = uWS.App();
    const services = { log, accepting: () => true } as RouteServices; // pages use no others
    const options = {
      metrics: {} as Metrics,
      tracing: undefined,
      addressOf: () => '127.0.0.1',
      corsOrigins: ['*'],
    };
    createRouter([], pages, services, options).mount(app);
    const socket = await new Promise<uWS.us_listen_socket | false>((resolve) =>
      app.listen('127.0.0.1', 0, resolve),
    );
    url = `http://127.0.0.1:${socket && uWS.us_socket_local_port(socket)}`;
  }
  afterEach(() => app.close());

  it('answers 500 for that page, and every other call normally', async () => {
    const broken = page(() => {
      throw new Error('no such file');
    }, 'text/plain');
    await serve(
      new Map([
        ['/broken', broken],
        ['/whole', page(() => 'whole', 'text/plain')],
      ]),
    );
    for (let round = 0; round < 2; round++) {
      const answer = await fetch(`${url}/broken`);
      const body = await answer.json();
      expect([answer.status, body.error, body.code]).to.deep.equal([500, true, 'INTERNAL']);
      expect(body.message).to.include(String(lines.at(-1)?.requestId));
      expect(await (await fetch(`${url}/whole`)).text()).to.equal('whole');
    }
  });

  it('closes the connection of an answer that fails half-way', async () => {
    const whole = page(() => 'whole', 'text/plain');
    const headers = {
      get 'X-Broken'(): string {
        throw new Error('no such header');
      },
    };
    await serve(new Map([['/whole', whole]]));
    const half = (res: uWS.HttpResponse) => respond(res, 200, headers, 'the status is written already');
    app.any(
      '/half',
      createGuard(log)('half', half, (refusal, res) => respondError(res, refusal)),
    );
    const outcome = await new Promise<string>((resolve) =>
      request(`${url}/half`, ({ statusCode }) => resolve(String(statusCode)))
        .on('error', ({ message }) => resolve(message))
        .end(),
    );
    expect(outcome).to.equal('socket hang up');
    expect(await (await fetch(`${url}/whole`)).text()).to.equal('whole');
  });

  it('serves the page from its start, although a build removes the files', async () => {
    const built = await temporaryFolder();
    await mkdir(join(built, 'web', 'assets'), { recursive: true });
    await writeFile(join(built, 'web', 'index.html'), '<script src="/assets/a.js"></script>');
    await writeFile(join(built, 'web', 'assets', 'a.js'), 'a()');
    await writeFile(join(built, 'web', 'assets', 'a.js.gz'), 'compressed');
    await serve(webPages(false, built));
    await rm(built, { recursive: true });
    expect(
      await (await fetch(`${url}/assets/a.js`, { headers: { 'accept-encoding': 'br' } })).text(),
    ).to.equal('a()');
    const page = await fetch(`${url}/`);
    expect([page.status, await page.text()]).to.deep.equal([200, '<script src="/assets/a.js"></script>']);
    expect([...webPages(false, built)]).to.deep.equal([]); // and starts without them
  });
});

describe('a socket whose frame causes an error in the server', () => {
  it('closes with 1011, and no other does', async () => {
    const { log, lines } = listeningLog();
    const app = uWS.App();
    const nothing = () => {};
    const bus = createMemoryTransport(nothing);
    const publish = (topic: string, frame: Buffer) => app.publish(topic, frame);
    const record = { read: async () => [], head: async () => 0, headAt: async () => 0 };
    const options = { record, log, underWay: async () => {}, gapFilled: nothing, gapTooLarge: nothing };
    const ordered = createOrderedBus(bus, options);
    const handlers = { reconcile: nothing, hidden: nothing, shown: nothing };
    const listener = { publish, isSingle: true };
    const connections = new Connections(ordered, listener, handlers, createGuard(log), Date);
    const tokens = createTokens([JWT_SECRET], 60, Date);
    const corkHost = await openCorkHost();
    const services = {
      ...{
        connections,
        verifyToken: tokens.verify,
        log,
        limits: defaultLimits,
        isLimited: false,
        accepting: () => true,
      },
      ...{
        addressOf: () => '127.0.0.1',
        upgrades: { ofUser: () => undefined, ofAddress: () => undefined, ofAll: () => undefined },
        corkHost,
      },
      ...{ serviceConnections: {} as ServiceConnections, keys: {} as ServiceKeys },
      admission: {
        load: async () => ({ sessionId: 1, groups: [], dialogs: undefined, snapshot: '1:1:' }),
      } as unknown as Admission,
      sessions: { opened: nothing, closed: nothing } as unknown as SessionLog,
      presenceChanges: { connected: async () => {}, disconnected: nothing } as unknown as PresenceChanges,
    };
    const metrics = { upgradeDone: nothing, connectionClosed: nothing } as unknown as Metrics;
    const dispatcher = (connection: SocketConnection) => ({
      onFrame(frame: string) {
        if (frame.includes('fault')) throw new Error('a fault');
        connection.send(frame);
      },
      ...{ onBinary: nothing, onDrain: nothing, onDisconnect: nothing, stop: nothing, revoke: nothing },
      unanswered: () => 0,
    });
    createWebSocketRoutes(services, dispatcher, metrics)(app);
    const socket = await new Promise<uWS.us_listen_socket | false>((resolve) =>
      app.listen('127.0.0.1', 0, resolve),
    );
    const url = `http://127.0.0.1:${socket && uWS.us_socket_local_port(socket)}`;
    const token = tokens.issue({ id: id(1), tokenVersion: 1, othersEndedAt: null });
    const [broken, whole] = [await connectAs(token, url), await connectAs(token, url)];

    broken.send('fault');
    expect(await broken.closed).to.equal(1011);
    expect(lines.map(({ msg }) => msg)).to.deep.equal(['socket message failed']);
    expect((await whole.call('echo')).type).to.equal('echo');
    await whole.close();
    connections.close();
    corkHost.close();
    app.close();
  });
});

describe('a timer of the server', () => {
  const nothing = () => {};

  it('that fails is logged and continues: send buffers', async () => {
    const { log, lines } = listeningLog();
    const slow = [{ waitingBytes: 2 }, { waitingBytes: 1 }] as Connection[];
    const dropped: Connection[] = [];
    const drop = (connection: Connection) => {
      if (dropped.push(connection) === 1) throw new Error('a fault');
    };
    const connections = { size: 2, [Symbol.iterator]: () => slow.values() };
    const watch = watchSendBuffers(connections, 1, drop, log);
    await until(() => dropped.length > 1);
    watch.close();
    expect(lines.map(({ msg }) => msg)).to.deep.equal(['send buffers failed']);
  });

  it('that fails is logged and continues: expired tokens', async () => {
    const { log, lines } = listeningLog();
    const record = { read: async () => [], head: async () => 0, headAt: async () => 0 };
    const options = { record, log, underWay: async () => {}, gapFilled: nothing, gapTooLarge: nothing };
    const bus = createOrderedBus(createMemoryTransport(nothing), options);
    const listener = { publish: nothing, isSingle: true };
    const handlers = { reconcile: nothing, hidden: nothing, shown: nothing };
    const connections = new Connections(bus, listener, handlers, createGuard(log), Date);
    const session = {
      userId: id<UserId>(1),
      tokenVersion: 1,
      tokenId: 'token',
      since: 0,
      issuedAt: 0,
      expiresAt: 0,
    };
    const connection = connections.register(session, '127.0.0.1', null);
    let attempts = 0;
    connection.close = () => {
      attempts++;
      throw new Error('a fault');
    };
    await until(() => attempts > 1);
    connections.close();
    expect(new Set(lines.map(({ msg }) => msg))).to.deep.equal(new Set(['expired tokens failed']));
  });
});
