import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Config } from './config.ts';

/** Milliseconds, in addition to DRAIN_SECONDS, after which a worker that is stopping is killed. */
const STOP_TIMEOUT = 12_000;

/** The worker processes of a supervisor. */
export class Workers {
  readonly #config: Pick<Config, 'workerStartSeconds' | 'drainSeconds'>;
  /** All running processes, including those that start or stop. */
  readonly #running = new Set<ChildProcess>();

  constructor(config: Pick<Config, 'workerStartSeconds' | 'drainSeconds'>) {
    this.#config = config;
  }

  /** Starts a worker. Resolves when it listens; if it does not, kills it and then rejects. */
  async start(index: number): Promise<ChildProcess> {
    const main = new URL(import.meta.url.endsWith('.ts') ? './main.ts' : './main.js', import.meta.url);
    const worker = fork(main, { env: { ...process.env, SHARES_PORT: 'on' } });
    this.#running.add(worker);
    exited(worker).then(() => this.#running.delete(worker));
    worker.on('error', (error) => print(`worker ${index}: ${error.message}`)); // it could not be started or signalled

    try {
      await Promise.race([
        untilItListens(worker, this.#config.workerStartSeconds),
        exited(worker).then(() => {
          throw new Error(`it exited with ${worker.exitCode ?? worker.signalCode}`);
        }),
      ]);
      return worker;
    } catch (error) {
      await this.end(worker, 'SIGKILL');
      throw error;
    }
  }

  /** Signals a worker and resolves when it has exited. A worker that takes too long is killed. */
  async end(worker: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    worker.kill(signal);
    const late = setTimeout(() => worker.kill('SIGKILL'), STOP_TIMEOUT + this.#config.drainSeconds * 1000);
    await exited(worker);
    clearTimeout(late);
  }

  /** Ends all workers, including those that start. */
  async endAll(signal: NodeJS.Signals): Promise<void> {
    await Promise.all([...this.#running].map((worker) => this.end(worker, signal)));
  }
}

/**
 * Resolves when a worker listens. Rejects after `seconds`, counted from its last report that a migration is running.
 */
export function untilItListens(worker: Pick<ChildProcess, 'on'>, seconds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let late: NodeJS.Timeout | undefined;
    const wait = () => {
      clearTimeout(late);
      late = setTimeout(
        () => reject(new Error(`it did not listen within ${seconds} s`)),
        seconds * 1000,
      ).unref();
    };
    worker.on('message', (state) => {
      if (state === 'listening') resolve();
      else wait();
    });
    wait();
  });
}

/** Resolves when a process has exited; at once if it could not be created. */
export async function exited(worker: ChildProcess): Promise<void> {
  if (worker.pid === undefined || worker.exitCode !== null || worker.signalCode !== null) return;
  await once(worker, 'exit');
}

/** Writes a line for the operator. */
export function print(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}
