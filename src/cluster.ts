import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Config, loadConfig } from './config.ts';
import { assertPort } from './net/port.ts';
import { StartError } from './protocol/errors.ts';

/*
 * Several nodes on one machine that share its port: `npm run start:cluster -- --workers N`, or `WORKERS=N`. Each is a
 * node as on a machine of its own; the kernel spreads connections over them (SO_REUSEPORT). SIGHUP replaces them one
 * after another: an old worker serves until its successor does. A worker that dies is started again, after pauses that
 * grow; one that does not start is given up, and the supervisor stays with those that run.
 */

/** Starts of a worker in a row that fail, or that it does not survive for long, before it is given up. */
const MAX_FAILURES = 5;
/** Milliseconds before the second of them; each further pause is twice as long. */
const FIRST_PAUSE = 1_000;
/** Milliseconds after which a worker that serves has outlived its earlier failures. */
const STABLE_AFTER = 60_000;
/** Milliseconds that a worker may take to stop, beside its DRAIN_SECONDS, before it is killed. */
const STOP_PATIENCE = 12_000;

/** The place of one worker. */
interface Slot {
  readonly index: number;
  /** Serves. */
  worker: ChildProcess | undefined;
  state: 'starting' | 'serving' | 'pausing' | 'given up';
  /** Settles when the worker that starts serves, or has failed. */
  started: Promise<unknown>;
  /** Ends the pause before the next start. */
  wake: () => void;
  /** Settles when the worker has been replaced, or has not. */
  replacement: Promise<void> | undefined;
}

// Of a terminal or a pipe that is gone: nothing that ends the workers.
process.stderr.on('error', () => {});

try {
  const { values } = parseArgs({ options: { workers: { type: 'string' } } });
  const config = loadConfig(values.workers === undefined ? {} : { WORKERS: values.workers });
  if (config.workers > 1 && config.natsUrl.length === 0)
    throw new StartError('NATS_URL is unset; expected a NATS server, which connects the workers');
  if (config.port === 0) throw new StartError('PORT is 0; expected a port that the workers share');
  if (!config.sharesPort) await assertPort(config.host, config.port); // the workers cannot tell each other from strangers
  supervise(config);
} catch (error) {
  process.stderr.write(`${error instanceof StartError ? error.message : (error as Error).stack}\n`);
  process.exit(1);
}

function supervise(config: Config): void {
  /** All that run, also those on their way up or down. */
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
  let isRoundWanted = false;
  let isReplacing = false;

  for (const slot of slots) keep(slot).catch(fail);
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      stop(signal).catch(fail);
    });
  process.on('SIGHUP', () => {
    isRoundWanted = true;
    replaceAll().catch(fail);
  });

  /** Keeps a worker in a slot until it is given up. */
  async function keep(slot: Slot): Promise<void> {
    for (let failures = 0; !stopping; ) {
      let servedFor = 0;
      try {
        slot.state = 'starting';
        const launched = launch(slot.index);
        slot.started = launched.catch(() => {});
        slot.worker = await launched;
        slot.state = 'serving';
        servedFor = await untilItEnds(slot);
      } catch (error) {
        if (!stopping) say(`worker ${slot.index} did not start: ${(error as Error).message}`);
      }
      slot.worker = undefined;
      if (stopping) return;
      failures = servedFor > STABLE_AFTER ? 1 : failures + 1;
      if (failures === MAX_FAILURES) return giveUp(slot);
      const pause = FIRST_PAUSE * 2 ** (failures - 1);
      say(`worker ${slot.index} is started again in ${pause / 1000} s`);
      slot.state = 'pausing';
      await Promise.race([delay(pause), new Promise<void>((wake) => Object.assign(slot, { wake }))]);
    }
  }

  /** Resolves, when the last worker of a slot has ended by itself, to the milliseconds it served. */
  async function untilItEnds(slot: Slot): Promise<number> {
    for (;;) {
      const { worker } = slot;
      const start = performance.now();
      if (worker) await ended(worker);
      await slot.replacement;
      if (slot.worker !== worker) continue; // a successor serves
      if (!stopping) say(`worker ${slot.index} ended with ${worker?.exitCode ?? worker?.signalCode}`);
      return performance.now() - start;
    }
  }

  function giveUp(slot: Slot): void {
    slot.state = 'given up';
    say(`worker ${slot.index} is given up after ${MAX_FAILURES} starts; SIGHUP tries again`);
    if (slots.some(({ state }) => state !== 'given up')) return;
    say('no worker runs');
    process.exit(1);
  }

  /** Replaces the workers one after another, so that there is always somebody to connect to. */
  async function replaceAll(): Promise<void> {
    if (isReplacing) return; // however many signals come meanwhile, one more round follows
    isReplacing = true;
    while (isRoundWanted && !stopping) {
      isRoundWanted = false;
      for (const slot of slots) {
        if (slot.state === 'starting') await slot.started; // it may have begun with what is old now
        if (stopping) return;
        if (slot.state === 'pausing') slot.wake();
        else if (slot.state === 'given up') keep(slot).catch(fail);
        else if (slot.worker && !(await replace(slot, slot.worker))) break; // the others would not start either
      }
    }
    isReplacing = false;
  }

  /** Puts a new worker in the place of one that serves; false, and the old one stays, when it does not come up. */
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
        say(`worker ${slot.index} was not replaced: ${(error as Error).message}; the old one stays`);
      return false;
    } finally {
      slot.replacement = undefined;
      settle();
    }
  }

  /** Starts a worker; resolves when it listens, and rejects, when it does not, once it is gone. */
  async function launch(index: number): Promise<ChildProcess> {
    const main = new URL(import.meta.url.endsWith('.ts') ? './main.ts' : './main.js', import.meta.url);
    const worker = fork(main, { env: { ...process.env, SHARES_PORT: 'on' } });
    children.add(worker);
    ended(worker).then(() => children.delete(worker));
    worker.on('error', (error) => say(`worker ${index}: ${error.message}`)); // it cannot be started or signalled

    try {
      await Promise.race([
        untilItListens(worker, config.workerStartSeconds),
        ended(worker).then(() => {
          throw new Error(`it ended with ${worker.exitCode ?? worker.signalCode}`);
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

  /** Signals a worker and resolves when it is gone; one that takes too long is killed. */
  async function end(worker: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    worker.kill(signal);
    const late = setTimeout(() => worker.kill('SIGKILL'), STOP_PATIENCE + config.drainSeconds * 1000);
    await ended(worker);
    clearTimeout(late);
  }
}

/** Rejects when a worker does not listen in time, which begins anew each time it says that it migrates. */
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

/** Resolves when a process has ended; at once where it could not even be made. */
async function ended(worker: ChildProcess): Promise<void> {
  if (worker.pid === undefined || worker.exitCode !== null || worker.signalCode !== null) return;
  await once(worker, 'exit');
}

function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}

/** A bug of the supervisor: the workers end with it, for nobody would start or stop them. */
function fail(error: unknown): void {
  say(String((error as Error).stack ?? error));
  process.exit(1);
}
