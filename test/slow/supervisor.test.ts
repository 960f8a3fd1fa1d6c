import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import pg from 'pg';
import { makeCertificate } from '../support/certificate.ts';
import {
  databaseUrl,
  freePort,
  http,
  JWT_SECRET,
  newUsers,
  server,
  temporaryFolder,
} from '../support/harness.ts';
import { type NatsServer, natsServer } from '../support/nats.ts';
import { until } from '../support/until.ts';

const CLUSTER = fileURLToPath(new URL('../../dist/cluster.js', import.meta.url));

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

let cluster: ChildProcess | undefined;

function start(args: string[], env: Record<string, string>): ChildProcess {
  const { PATH, HOME } = process.env;
  cluster = spawn(process.execPath, [CLUSTER, ...args], {
    env: {
      PATH,
      HOME,
      HOST: '127.0.0.1',
      RATE_LIMITS: 'off',
      DATABASE_URL: databaseUrl(),
      JWT_SECRET,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return cluster;
}

async function killCluster(): Promise<void> {
  if (cluster?.exitCode !== null) return;
  cluster.kill('SIGKILL');
  await once(cluster, 'exit');
}

describe('start:cluster', function () {
  this.timeout(180_000);
  let nats: NatsServer | undefined;

  before(async function () {
    nats = await natsServer();
    if (!nats) {
      console.log('      skipped: there is no nats-server here');
      return this.skip();
    }
    await nats.start();
  });
  afterEach(killCluster);
  after(() => nats?.stop());

  it('runs several nodes on one port, restarts a node that dies, and stops all together', async () => {
    const port = await freePort();
    const { stdout } = start(['--workers', '2'], { PORT: `${port}`, NATS_URL: nats?.url ?? '' });
    const pids: number[] = [];
    stdout?.on('data', (chunk) => {
      for (const line of String(chunk).split('\n'))
        if (/"msg":"listening"/.test(line)) pids.push(JSON.parse(line).pid);
    });
    const listening = async (count: number) => {
      while (pids.length < count) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await listening(2);

    const url = `http://127.0.0.1:${port}`;
    const [ada, bob] = await newUsers(2);
    // enough connections for both processes
    const devices = await Promise.all(Array.from({ length: 16 }, () => bob.connect(url)));
    const writer = await ada.connect(url);
    await writer.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    for (const device of devices) expect((await device.push('privateMessage')).params.message).to.equal('Hi');

    process.kill(pids[0] as number, 'SIGKILL');
    await listening(3);
    expect((await http('GET', '/health/ready', { url })).status).to.equal(200);
    cluster?.kill('SIGHUP');
    await listening(5); // both were replaced, and one was listening all the time
    for (const pid of pids.slice(1, 3))
      while (isAlive(pid)) {
        const ask = () => http('GET', '/health/live', { url });
        // A worker may close a connection in the moment of a request, which clients then repeat (RFC 9112, 9.3.1).
        expect((await ask().catch(ask)).status).to.equal(200);
      }

    cluster?.kill('SIGTERM');
    expect((await once(cluster as ChildProcess, 'exit'))[0]).to.equal(0);
    expect(pids.filter(isAlive)).to.deep.equal([]);
  });

  it('reports in one line a missing setting or a port in use', async () => {
    const cases = [
      [
        ['--workers', '2'],
        {},
        /^NATS_URL is unset; expected the URL of a NATS server that connects the workers\n$/,
      ],
      [['--workers', 'many'], {}, /^WORKERS is "many"; expected an integer from 1 to 256\n$/],
      [
        [],
        { WORKERS: '2', NATS_URL: nats?.url ?? '', PORT: '0' },
        /^PORT is 0; expected a port that the workers share\n$/,
      ],
      [
        [],
        { WORKERS: '1', PORT: `${server.port}` },
        /^Cannot listen on 127\.0\.0\.1:\d+: the port is in use\. .*\n$/,
      ],
    ] as const;
    for (const [args, env, message] of cases) {
      const child = start([...args], { ...env });
      let output = '';
      child.stderr?.on('data', (chunk) => {
        output += chunk;
      });
      expect((await once(child, 'close'))[0]).to.equal(1);
      expect(output).to.match(message);
    }
  });
});

/** The log lines of the supervisor and its one worker. */
class Supervised {
  readonly pids: number[] = [];
  readonly lines: string[] = [];

  constructor({ stdout, stderr }: ChildProcess) {
    if (!stdout || !stderr) throw new Error('the cluster has no output');
    createInterface({ input: stdout }).on('line', (line) => {
      const { msg, pid } = JSON.parse(line);
      if (msg === 'listening') this.pids.push(pid);
    });
    createInterface({ input: stderr }).on('line', (line) => this.lines.push(line));
  }

  logs(pattern: RegExp): Promise<void> {
    return until(() => this.lines.some((line) => pattern.test(line)), 60_000);
  }

  serves(pids: number): Promise<void> {
    return until(() => this.pids.length === pids, 60_000);
  }
}

describe('the supervisor of start:cluster', function () {
  this.timeout(400_000);
  let folder: string;

  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(async () => {
    await killCluster();
    await rm(folder, { recursive: true, force: true });
  });

  /** With a certificate: once it is broken, later workers cannot start. */
  async function startOne(env: Record<string, string> = {}) {
    const { cert, key } = makeCertificate(folder);
    const PORT = String(await freePort());
    const all = { PORT, TLS_CERT: cert, TLS_KEY: key, LOG_LEVEL: 'info', ...env };
    const child = start(['--workers', '1'], all);
    return { child, key, supervised: new Supervised(child) };
  }

  it('keeps a worker whose successor does not start, and replaces it at the next signal', async () => {
    const { child, key, supervised } = await startOne();
    await supervised.serves(1);
    await writeFile(key, 'no key');
    child.kill('SIGHUP');
    await supervised.logs(/^failed to replace worker 0: it exited with 1; the old one stays$/);
    const [first = 0] = supervised.pids;
    expect(isAlive(first)).to.equal(true);

    makeCertificate(folder);
    child.kill('SIGHUP');
    await supervised.serves(2);
    await until(() => !isAlive(first));
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).to.equal(0);
    expect(supervised.pids.filter(isAlive)).to.deep.equal([]);
  });

  it('keeps a worker whose successor is not ready in time', async () => {
    const { child, supervised } = await startOne({ WORKER_START_SECONDS: '20' });
    await supervised.serves(1);
    const holder = new pg.Client(databaseUrl());
    await holder.connect();
    await holder.query('begin');
    await holder.query('lock table migrations in access exclusive mode'); // a table that starting nodes read
    child.kill('SIGHUP');
    await supervised.logs(/^failed to replace worker 0: it did not listen within 20 s; the old one stays$/);
    await holder.end();
    expect(supervised.pids.map(isAlive)).to.deep.equal([true]);
    child.kill('SIGHUP');
    await supervised.serves(2);
  });

  it('restarts a failing worker with growing pauses, and exits with 1 when it gives up the last one', async () => {
    const { child, key, supervised } = await startOne();
    await supervised.serves(1);
    await writeFile(key, 'no key');
    process.kill(supervised.pids[0] as number, 'SIGKILL');
    expect((await once(child, 'exit'))[0]).to.equal(1);
    const [killed, ...about] = supervised.lines.filter((line) => /worker 0|^no worker/.test(line));
    // Its log says that it listens a moment before the supervisor knows.
    expect(killed).to.match(/^worker 0 (failed to start: it )?exited with SIGKILL$/);
    expect(about).to.deep.equal([
      'restarting worker 0 in 1 s',
      ...[2, 4, 8].flatMap((seconds) => [
        'worker 0 failed to start: it exited with 1',
        `restarting worker 0 in ${seconds} s`,
      ]),
      'worker 0 failed to start: it exited with 1',
      'gave up on worker 0 after 5 starts; send SIGHUP to try again',
      'no worker is left',
    ]);
  });
});
