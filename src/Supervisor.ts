import type { ChildProcess } from 'node:child_process';
import { exited, print, type Workers } from './Workers.ts';

/** Consecutive failures of a worker, to start or to run for long, after which the supervisor gives up on it. */
const MAX_FAILURES = 5;
/** Milliseconds before the second start; each further pause is twice as long. */
const FIRST_PAUSE = 1_000;
/** Milliseconds of serving after which the earlier failures of a worker no longer count. */
const STABLE_AFTER = 60_000;

/** Starts and ends the processes of workers. */
type Processes = Pick<Workers, 'start' | 'end' | 'endAll'>;

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

/** Keeps one worker running in each slot until the process is asked to stop. */
export class Supervisor {
  readonly #workers: Processes;
  readonly #slots: readonly Slot[];
  /** Called with a bug of the supervisor. */
  readonly #fail: (error: unknown) => void;
  #isStopping = false;
  #isRoundRequested = false;
  #isReplacing = false;

  /** Starts as many workers as there are slots. */
  constructor(workers: Processes, slots: number, fail: (error: unknown) => void) {
    this.#workers = workers;
    this.#fail = fail;
    this.#slots = Array.from({ length: slots }, (_, index) => ({
      index,
      worker: undefined,
      state: 'starting',
      wake: () => {},
      started: Promise.resolve(),
      replacement: undefined,
    }));
    for (const slot of this.#slots) this.#keep(slot).catch(fail);
  }

  /** Replaces the workers one after another, so that clients can always connect. During a round, requests one more. */
  async replaceAll(): Promise<void> {
    this.#isRoundRequested = true;
    if (this.#isReplacing) return;
    this.#isReplacing = true;
    while (this.#isRoundRequested && !this.#isStopping) {
      this.#isRoundRequested = false;
      for (const slot of this.#slots) if (!(await this.#renew(slot))) break; // the others would fail as well
    }
    this.#isReplacing = false;
  }

  /** Stops all workers. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    await this.#workers.endAll(signal);
    process.exit(0);
  }

  /** Keeps a worker running in a slot until it has failed too often. */
  async #keep(slot: Slot): Promise<void> {
    for (let failures = 0; !this.#isStopping; ) {
      const servedFor = await this.#run(slot);
      if (this.#isStopping) return;
      failures = servedFor > STABLE_AFTER ? 1 : failures + 1;
      if (failures === MAX_FAILURES) return this.#giveUp(slot);
      const pause = FIRST_PAUSE * 2 ** (failures - 1);
      print(`restarting worker ${slot.index} in ${pause / 1000} s`);
      slot.state = 'pausing';
      await new Promise<void>((wake) => {
        const timer = setTimeout(wake, pause);
        slot.wake = () => {
          clearTimeout(timer);
          wake();
        };
      });
    }
  }

  /** Starts a worker in a slot. Resolves when it has exited, or failed to start, to the milliseconds for which it served. */
  async #run(slot: Slot): Promise<number> {
    try {
      slot.state = 'starting';
      const starting = this.#workers.start(slot.index);
      slot.started = starting.catch(() => {});
      slot.worker = await starting;
      slot.state = 'serving';
      return await this.#untilExit(slot);
    } catch (error) {
      if (!this.#isStopping) print(`worker ${slot.index} failed to start: ${(error as Error).message}`);
      return 0;
    } finally {
      slot.worker = undefined;
    }
  }

  /** Waits until the last worker of a slot has exited by itself. Resolves to the milliseconds for which it served. */
  async #untilExit(slot: Slot): Promise<number> {
    for (;;) {
      const { worker } = slot;
      const start = performance.now();
      if (worker) await exited(worker);
      await slot.replacement;
      if (slot.worker !== worker) continue; // its successor serves
      if (!this.#isStopping)
        print(`worker ${slot.index} exited with ${worker?.exitCode ?? worker?.signalCode}`);
      return performance.now() - start;
    }
  }

  #giveUp(slot: Slot): void {
    slot.state = 'given up';
    print(`gave up on worker ${slot.index} after ${MAX_FAILURES} starts; send SIGHUP to try again`);
    if (this.#slots.some(({ state }) => state !== 'given up')) return;
    print('no worker is left');
    process.exit(1);
  }

  /** Brings the worker of a slot up to date; false if its new worker does not start, or the supervisor stops. */
  async #renew(slot: Slot): Promise<boolean> {
    if (slot.state === 'starting') await slot.started; // it may have read an old version of the program
    if (this.#isStopping) return false;
    if (slot.state === 'pausing') slot.wake();
    else if (slot.state === 'given up') this.#keep(slot).catch(this.#fail);
    else if (slot.worker) return this.#replace(slot, slot.worker);
    return true;
  }

  /** Replaces a serving worker. Resolves to false if the new worker does not start; then the old one stays. */
  async #replace(slot: Slot, old: ChildProcess): Promise<boolean> {
    let settle = () => {};
    slot.replacement = new Promise((resolve) => {
      settle = resolve;
    });
    try {
      slot.worker = await this.#workers.start(slot.index);
      await this.#workers.end(old, 'SIGTERM');
      return true;
    } catch (error) {
      if (!this.#isStopping)
        print(`failed to replace worker ${slot.index}: ${(error as Error).message}; the old one stays`);
      return false;
    } finally {
      slot.replacement = undefined;
      settle();
    }
  }
}
