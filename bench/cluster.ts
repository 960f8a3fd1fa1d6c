import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { startEmbeddedPostgres } from '../src/database/embedded.ts';
import { pause } from './load.ts';
import { RawClient } from './RawClient.ts';
import { dialogs, group, latency } from './scenarios.ts';
import { type Account, register, startTarget, type Target, together } from './server.ts';

/** Clients that lose their node at once. */
const STORM = 10_000;

/** What a second node costs and gains; nodes, NATS, PostgreSQL and load share this machine. */
export async function cluster(): Promise<Record<string, object>> {
  try {
    execFileSync('nats-server', ['--version'], { stdio: 'ignore' });
  } catch {
    return { skipped: { 'nats-server is not here': 0 } };
  }
  const folder = await mkdtemp(join(tmpdir(), 'parley-bench-'));
  const postgres = await startEmbeddedPostgres(folder, pino({ level: 'warn' }));
  const port = await freePort();
  const nats = spawn('nats-server', ['-a', '127.0.0.1', '-p', `${port}`], { stdio: 'ignore' });
  await pause(500);
  const alone = { DATABASE_URL: postgres.url, JWT_SECRET: 'a secret of the benchmarks, long enough' };
  const joined = { ...alone, NATS_URL: `nats://127.0.0.1:${port}` };
  try {
    let people: Account[] = [];
    const one = await startTarget('dist/main.js', alone);
    people = await register(one.port, 100);
    const result: Record<string, object> = { 'one node': await dialogs(one, people, 5) };
    result['one node, group of 100'] = await group(one, people, 4);
    result['one node, latency at 200/s'] = (await latency(one, people, 200, 4)) as object;
    await one.stop();

    const first = await startTarget('dist/main.js', joined);
    await pause(1000);
    result['one node with NATS'] = await dialogs(first, people, 5);
    const second = await startTarget('dist/main.js', joined);
    await pause(1000);
    const both = together(first, second);
    result['two nodes, pairs across'] = await dialogs(both, people, 5);
    result['two nodes, group of 100'] = await group(both, people, 4);
    result['two nodes, latency at 200/s'] = (await latency(both, people, 200, 4)) as object;
    result[`${STORM} clients after kill -9`] = await storm(first, second, people);
    await second.stop();
    return result;
  } finally {
    nats.kill('SIGKILL');
    await once(nats, 'exit');
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Clients of one node, which is killed; each connects to the other as soon as it notices. */
async function storm(doomed: Target, refuge: Target, people: readonly Account[]): Promise<object> {
  const clients: RawClient[] = [];
  const arrived: RawClient[] = [];
  let killedAt = 0;
  const times: number[] = [];
  const tokenOf = (index: number) => (people[index % people.length] as Account).token;
  while (clients.length < STORM)
    clients.push(
      ...(await Promise.all(
        Array.from({ length: 100 }, (_, n) => RawClient.open(doomed.port, tokenOf(clients.length + n))),
      )),
    );
  const all = Promise.all(
    clients.map(
      (client, index) =>
        new Promise<void>((resolve, reject) => {
          client.onClose = () =>
            RawClient.open(refuge.port, tokenOf(index)).then((again) => {
              arrived.push(again);
              times.push(performance.now() - killedAt);
              resolve();
            }, reject);
        }),
    ),
  );
  killedAt = performance.now();
  await doomed.stop('SIGKILL');
  await all;
  const [half = 0, last = 0] = [times[Math.floor(times.length / 2)], times.at(-1)];
  for (const client of arrived) client.close();
  return { 'half back, s': half / 1000, 'all back, s': last / 1000 };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  return address && typeof address === 'object' ? address.port : 4222;
}
