import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Piscina } from 'piscina';
import { FairQueue } from '../FairQueue.ts';
import { ApiError } from '../protocol/errors.ts';

/** A function of password-worker.js, and what it takes. */
interface Job {
  readonly name: string;
  readonly task: object;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
  /** A thread of normal priority is at it, or has done it. */
  isTaken: boolean;
}

/** Jobs that may wait for a thread, in all and of one client: a few seconds' worth, past which a caller had better retry. */
const MAX_QUEUE_PER_THREAD = 200;
const MAX_OF_CLIENT_PER_THREAD = 100;
/** Milliseconds for which a thread without work stays: starting one and compiling bcrypt there takes as long as two hashes. */
const THREAD_IDLE = 60_000;
/** Milliseconds for which a stop waits for what threads are at. */
const GRACE = 2_000;

/** Milliseconds after which a hash of this cost is overdue: some ten times as long as it takes on an idle core. */
const patienceFor = (cost: number) => 500 + 500 * 2 ** (cost - 10);

/**
 * Threads that hash where a core has nothing else to do, see password-worker.js. While one of them has been at a hash for
 * so long that it hardly runs, a thread of normal priority takes over: what is overdue, and then what waits, one after
 * another. The first of two threads that are at the same hash answers. A queue that is merely long is no reason: a login
 * storm waits for idle cores.
 */
export class PasswordThreads {
  readonly #threads: number;
  readonly #patience: number;
  readonly #idle: Piscina;
  readonly #urgent: Piscina;
  readonly #queue = new FairQueue<string, Job>();
  /** What idle threads have been at for too long. */
  readonly #overdue = new Set<Job>();
  readonly #unfinished = new Set<Promise<unknown>>();
  #running = 0;
  #isUrgentBusy = false;
  #isClosed = false;

  constructor(threads: number, cost: number, log: Logger) {
    this.#threads = threads;
    this.#patience = patienceFor(cost);
    const filename = new URL('./password-worker.js', import.meta.url).href;
    // The process's own preloads (`node --import`) are not for threads: one that ends closes the files that it opened.
    const options = { filename, idleTimeout: THREAD_IDLE, execArgv: [] };
    this.#idle = new Piscina({
      ...options,
      minThreads: 1,
      maxThreads: threads,
      niceIncrement: 10,
      argv: ['idle'],
    });
    this.#urgent = new Piscina({ ...options, minThreads: 0, maxThreads: 1 });
    // Of a thread that fails between two jobs, such as one that cannot start; the job of one that fails has its own.
    for (const pool of [this.#idle, this.#urgent])
      pool.on('error', (error) => log.error({ err: error }, 'a password thread failed'));
  }

  /**
   * Runs a function of the worker, in turn with what other clients ask for; `UNAVAILABLE` where too much waits, or when
   * closed. A close does not wait for what is not `wanted`.
   */
  async run<T>(name: string, task: object, client: string, wanted = true): Promise<T> {
    if (this.#isClosed) throw stopping();
    const isFull =
      this.#queue.size >= this.#threads * MAX_QUEUE_PER_THREAD ||
      this.#queue.sizeOf(client) >= this.#threads * MAX_OF_CLIENT_PER_THREAD;
    if (isFull) throw new ApiError('UNAVAILABLE', 'Too many logins at once; retry in a moment', 2);
    const finished = new Promise<T>((resolve, reject) => {
      this.#queue.push(client, { name, task, resolve, reject, isTaken: false });
    });
    this.#startIdle();
    this.#startUrgent();
    if (wanted) this.#unfinished.add(finished);
    return finished.finally(() => this.#unfinished.delete(finished));
  }

  /** Lets what a thread is at be finished, and gives up what waits for one. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { reject } of this.#queue.clear()) reject(stopping());
    await Promise.race([Promise.allSettled(this.#unfinished), delay(GRACE, undefined, { ref: false })]);
    await Promise.all([this.#idle.destroy(), this.#urgent.destroy()]);
  }

  #startIdle(): void {
    while (this.#running < this.#threads) {
      const job = this.#queue.shift();
      if (!job) return;
      this.#running++;
      const timer = setTimeout(() => {
        this.#overdue.add(job);
        this.#startUrgent();
      }, this.#patience);
      void this.#runOn(this.#idle, job).then(() => {
        clearTimeout(timer);
        this.#overdue.delete(job);
        this.#running--;
        this.#startIdle();
      });
    }
  }

  #startUrgent(): void {
    if (this.#isUrgentBusy || this.#overdue.size === 0) return;
    const job = [...this.#overdue].find(({ isTaken }) => !isTaken) ?? this.#queue.shift();
    if (!job) return;
    this.#isUrgentBusy = true;
    job.isTaken = true;
    void this.#runOn(this.#urgent, job).then(() => {
      this.#isUrgentBusy = false;
      this.#startUrgent();
    });
  }

  /** Resolves when a thread is done with a job, whatever comes of it. */
  async #runOn(pool: Piscina, { name, task, resolve, reject }: Job): Promise<void> {
    try {
      resolve((await pool.run(task, { name })) as never);
    } catch (error) {
      reject(this.#isClosed ? stopping() : error);
    }
  }
}

const stopping = () => new ApiError('UNAVAILABLE', 'The server is stopping', 1);
