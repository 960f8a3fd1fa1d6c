import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { databaseUrl, freePort, http, JWT_SECRET, newUsers } from './harness.ts';
import { type NatsServer, natsServer } from './nats.ts';

const CLUSTER = fileURLToPath(new URL('../src/cluster.ts', import.meta.url));

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('start:cluster', function () {
  this.timeout(60_000);
  let nats: NatsServer | undefined;
  let cluster: ChildProcess | undefined;

  before(async function () {
    nats = await natsServer();
    if (!nats) {
      console.log('      skipped: there is no nats-server here');
      return this.skip();
    }
    await nats.start();
  });
  afterEach(async () => {
    if (cluster?.exitCode !== null) return;
    cluster.kill('SIGKILL');
    await once(cluster, 'exit');
  });
  after(() => nats?.stop());

  function start(args: string[], env: Record<string, string>): ChildProcess {
    const { PATH, HOME } = process.env;
    cluster = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), CLUSTER, ...args], {
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

  it('runs several nodes on one port, starts again the one that dies, and stops them together', async () => {
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
    // enough of them that both processes have some
    const devices = await Promise.all(Array.from({ length: 16 }, () => bob.connect(url)));
    const writer = await ada.connect(url);
    await writer.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    for (const device of devices) expect((await device.push('privateMessage')).params.message).to.equal('Hi');

    process.kill(pids[0] as number, 'SIGKILL');
    await listening(3);
    expect((await http('GET', '/health/ready', { url })).status).to.equal(200);
    cluster?.kill('SIGHUP');
    await listening(5); // both were replaced, and somebody was there all the time
    for (const pid of pids.slice(1, 3))
      while (isAlive(pid)) expect((await http('GET', '/health/live', { url })).status).to.equal(200);

    cluster?.kill('SIGTERM');
    expect((await once(cluster as ChildProcess, 'exit'))[0]).to.equal(0);
    expect(pids.filter(isAlive)).to.deep.equal([]);
  });

  it('says in one line what is missing', async () => {
    const cases = [
      [['--workers', '2'], {}, /^NATS_URL is unset; expected a NATS server, which connects the workers\n$/],
      [['--workers', 'many'], {}, /^WORKERS is "many"; expected an integer from 1 to 256\n$/],
      [
        [],
        { WORKERS: '2', NATS_URL: nats?.url ?? '', PORT: '0' },
        /^PORT is 0; expected a port that the workers share\n$/,
      ],
    ] as const;
    for (const [args, env, message] of cases) {
      const child = start([...args], { ...env });
      let said = '';
      child.stderr?.on('data', (chunk) => {
        said += chunk;
      });
      expect((await once(child, 'close'))[0]).to.equal(1);
      expect(said).to.match(message);
    }
  });
});
