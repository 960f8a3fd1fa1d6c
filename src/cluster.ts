import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { loadConfig } from './config.ts';
import { StartError } from './errors.ts';

/*
 * Several nodes on one machine that share its port: `npm run start:cluster -- --workers N`, or `WORKERS=N`. Each is a
 * node as on a machine of its own; the kernel spreads connections over them (SO_REUSEPORT). SIGHUP replaces them one after another.
 */

/** Milliseconds before a worker that died is started again. */
const RESTART_AFTER = 1_000;

const workers: ChildProcess[] = [];
let stopping = false;
let restarting = Promise.resolve();

try {
  const { values } = parseArgs({ options: { workers: { type: 'string' } } });
  const config = loadConfig(values.workers === undefined ? {} : { WORKERS: values.workers });
  if (config.workers > 1 && config.natsUrl.length === 0)
    throw new StartError('NATS_URL is unset; expected a NATS server, which connects the workers');
  if (config.port === 0) throw new StartError('PORT is 0; expected a port that the workers share');
  for (let index = 0; index < config.workers; index++) start(index);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(signal));
  process.on('SIGHUP', () => {
    restarting = restarting.then(restart);
  });
} catch (error) {
  process.stderr.write(`${error instanceof StartError ? error.message : (error as Error).stack}\n`);
  process.exit(1);
}

function start(index: number): ChildProcess {
  const main = new URL(import.meta.url.endsWith('.ts') ? './main.ts' : './main.js', import.meta.url);
  const worker = fork(main, { env: { ...process.env, SHARES_PORT: 'on' } });
  workers[index] = worker;
  worker.on('exit', (code) => {
    if (stopping || workers[index] !== worker) return;
    process.stderr.write(`worker ${index} ended with ${code}; another one is started\n`);
    setTimeout(() => start(index), RESTART_AFTER);
  });
  return worker;
}

async function stop(signal: NodeJS.Signals): Promise<void> {
  if (stopping) return;
  stopping = true;
  await Promise.all(workers.map((worker) => end(worker, signal)));
  process.exit(0);
}

/** Replaces the workers one after another, so that there is always somebody to connect to. */
async function restart(): Promise<void> {
  for (const [index, worker] of [...workers].entries()) {
    const next = start(index);
    await once(next, 'message'); // it listens
    await end(worker, 'SIGTERM');
  }
}

async function end(worker: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  worker.kill(signal);
  await once(worker, 'exit');
}
