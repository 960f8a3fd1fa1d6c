import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Config, loadConfig } from './config.ts';
import { assertPort } from './net/port.ts';
import { StartError } from './protocol/errors.ts';

/*
 * Runs several nodes on one machine that share its port: `npm run start:cluster -- --workers N`, or `WORKERS=N`. The
 * kernel distributes connections among them (SO_REUSEPORT). SIGHUP replaces them one after another: the old worker
 * serves until the new one does. A worker that exits is restarted after growing pauses. When the starts of a worker
 * keep failing, the supervisor gives up on it and continues with the others.
 */

/** Consecutive failures of a worker, to start or to run for long, after which the supervisor gives up on it. */
const MAX_FAILURES = 5;
/** Milliseconds before the second start; each further pause is twice as long. */
const FIRST_PAUSE = 1_000;
/** Milliseconds of serving after which the earlier failures of a worker no longer count. */
const STABLE_AFTER = 60_000;
/** Milliseconds, in addition to DRAIN_SECONDS, after which a worker that is stopping is killed. */
const STOP_TIMEOUT = 12_000;

/** A slot in which one worker runs at a time. */
interface Slot {
  readonly index: number;
  /** The serving worker. */
  worker: ChildProcess | undefined;
  state: 'starting' | 'serving' | 'pausing' | 'given up';
  /** Resolves when the starting worker serves or has failed. */
  started: Promise<unknown>;
  /** Ends the pause before the next start. */
  wake: () => void;
  /** Resolves when the attempt to replace the worker has ended. */
  replacement: Promise<void> | undefined;
}

// A closed terminal or pipe must not end the workers.
process.stderr.on('error', () => {});

try {
  const { values } = parseArgs({ options: { workers: { type: 'string' } } });
  const config = loadConfig(values.workers === undefined ? {} : { WORKERS: values.workers });
  if (config.workers > 1 && config.natsUrl.length === 0)
    throw new StartError('NATS_URL is unset; expected the URL of a NATS server that connects the workers');
  if (config.port === 0) throw new StartError('PORT is 0; expected a port that the workers share');
  if (!config.sharesPort) await assertPort(config.host, config.port); // workers cannot detect another program at a shared port
  supervise(config);
} catch (error) {
  process.stderr.write(`${error instanceof StartError ? error.message : (error as Error).stack}\n`);
  process.exit(1);
}

function supervise(config: Config): void {
  /** All running processes, including those that start or stop. */
  const children = new Set<ChildProcess>();
  const slots = Array.from({ length: config.workers }, (_, index): Slot => {
    return {
      index,
      worker: undefined,
      state: 'starting',
      wake: () => {},
      started: Promise.resolve(),
      replacement: undefined,
    };
  });
  let stopping = false;
  let isRoundRequested = false;
  let isReplacing = false;

  for (const slot of slots) keep(slot).catch(fail);
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      stop(signal).catch(fail);
    });
  process.on('SIGHUP', () => {
    isRoundRequested = true;
    replaceAll().catch(fail);
  });

  /** Keeps a worker running in a slot until it has failed too often. */
  async function keep(slot: Slot): Promise<void> {
    for (let failures = 0; !stopping; ) {
      let servedFor = 0;
      try {
        slot.state = 'starting';
        const launched = launch(slot.index);
        slot.started = launched.catch(() => {});
        slot.worker = await launched;
        slot.state = 'serving';
        servedFor = await untilExit(slot);
      } catch (error) {
        if (!stopping) print(`worker ${slot.index} failed to start: ${(error as Error).message}`);
      }
      slot.worker = undefined;
      if (stopping) return;
      failures = servedFor > STABLE_AFTER ? 1 : failures + 1;
      if (failures === MAX_FAILURES) return giveUp(slot);
      const pause = FIRST_PAUSE * 2 ** (failures - 1);
      print(`restarting worker ${slot.index} in ${pause / 1000} s`);
      slot.state = 'pausing';
      await Promise.race([delay(pause), new Promise<void>((wake) => Object.assign(slot, { wake }))]);
    }
  }

  /** Waits until the last worker of a slot has exited by itself. Resolves to the milliseconds for which it served. */
  async function untilExit(slot: Slot): Promise<number> {
    for (;;) {
      const { worker } = slot;
      const start = performance.now();
      if (worker) await exited(worker);
      await slot.replacement;
      if (slot.worker !== worker) continue; // its successor serves
      if (!stopping) print(`worker ${slot.index} exited with ${worker?.exitCode ?? worker?.signalCode}`);
      return performance.now() - start;
    }
  }

  function giveUp(slot: Slot): void {
    slot.state = 'given up';
    print(`gave up on worker ${slot.index} after ${MAX_FAILURES} starts; send SIGHUP to try again`);
    if (slots.some(({ state }) => state !== 'given up')) return;
    print('no worker is left');
    process.exit(1);
  }

  /** Replaces the workers one after another, so that clients can always connect. */
  async function replaceAll(): Promise<void> {
    if (isReplacing) return; // one more round follows, for any number of signals
    isReplacing = true;
    while (isRoundRequested && !stopping) {
      isRoundRequested = false;
      for (const slot of slots) {
        if (slot.state === 'starting') await slot.started; // it may have read an old version of the program
        if (stopping) return;
        if (slot.state === 'pausing') slot.wake();
        else if (slot.state === 'given up') keep(slot).catch(fail);
        else if (slot.worker && !(await replace(slot, slot.worker))) break; // the others would fail as well
      }
    }
    isReplacing = false;
  }

  /** Replaces a serving worker. Resolves to false if the new worker does not start; then the old one stays. */
  async function replace(slot: Slot, old: ChildProcess): Promise<boolean> {
    let settle = () => {};
    slot.replacement = new Promise((resolve) => {
      settle = resolve;
    });
    try {
      slot.worker = await launch(slot.index);
      await end(old, 'SIGTERM');
      return true;
    } catch (error) {
      if (!stopping)
        print(`failed to replace worker ${slot.index}: ${(error as Error).message}; the old one stays`);
      return false;
    } finally {
      slot.replacement = undefined;
      settle();
    }
  }

  /** Starts a worker. Resolves when it listens; if it does not, kills it and then rejects. */
  async function launch(index: number): Promise<ChildProcess> {
    const main = new URL(import.meta.url.endsWith('.ts') ? './main.ts' : './main.js', import.meta.url);
    const worker = fork(main, { env: { ...process.env, SHARES_PORT: 'on' } });
    children.add(worker);
    exited(worker).then(() => children.delete(worker));
    worker.on('error', (error) => print(`worker ${index}: ${error.message}`)); // it could not be started or signalled

    try {
      await Promise.race([
        untilItListens(worker, config.workerStartSeconds),
        exited(worker).then(() => {
          throw new Error(`it exited with ${worker.exitCode ?? worker.signalCode}`);
        }),
      ]);
      return worker;
    } catch (error) {
      await end(worker, 'SIGKILL');
      throw error;
    }
  }

  async function stop(signal: NodeJS.Signals): Promise<void> {
    if (stopping) return;
    stopping = true;
    await Promise.all([...children].map((worker) => end(worker, signal)));
    process.exit(0);
  }

  /** Signals a worker and resolves when it has exited. A worker that takes too long is killed. */
  async function end(worker: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    worker.kill(signal);
    const late = setTimeout(() => worker.kill('SIGKILL'), STOP_TIMEOUT + config.drainSeconds * 1000);
    await exited(worker);
    clearTimeout(late);
  }
}

/**
 * Resolves when a worker listens. Rejects after `seconds`, counted from its last report that a migration is running.
 */
function untilItListens(worker: ChildProcess, seconds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`it did not listen within ${seconds} s`)),
      seconds * 1000,
    ).unref();
    worker.on('message', (state) => {
      if (state === 'listening') resolve();
      else late.refresh();
    });
  });
}

/** Resolves when a process has exited; at once if it could not be created. */
async function exited(worker: ChildProcess): Promise<void> {
  if (worker.pid === undefined || worker.exitCode !== null || worker.signalCode !== null) return;
  await once(worker, 'exit');
}

function print(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}

/** Ends the supervisor after a bug of its own. Its workers end as well, because nothing would restart or stop them. */
function fail(error: unknown): void {
  print(String((error as Error).stack ?? error));
  process.exit(1);
}
