import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Piscina } from 'piscina';
import { FairQueue } from '../FairQueue.ts';
import { ApiError } from '../protocol/errors.ts';

/** A call of a function of password-worker.cjs. */
interface Job {
  readonly name: string;
  readonly task: object;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
  /** True if a thread of normal priority has started it. */
  isTakenOver: boolean;
}

/** Limits on the jobs that wait for a thread, in total and per client. They amount to a few seconds of work. */
const MAX_QUEUE_PER_THREAD = 200;
const MAX_OF_CLIENT_PER_THREAD = 100;
/**
 * Milliseconds after which an idle thread ends. Starting one and compiling bcrypt in it takes as long as two hashes.
 */
const THREAD_IDLE = 60_000;
/** Milliseconds for which a stop waits for running jobs. */
const GRACE = 2_000;

/**
 * Returns the milliseconds after which a hash of this cost is overdue: about ten times what it takes on an idle core.
 */
const overdueAfter = (cost: number) => 500 + 500 * 2 ** (cost - 10);

/**
 * Hashes passwords in threads that run on idle cores only, see password-worker.cjs. When a hash is overdue because its
 * thread gets hardly any CPU time, a thread of normal priority repeats the overdue jobs and then takes jobs from the
 * queue. The first of two threads that work on the same job provides the result. A long queue alone does not start the
 * thread of normal priority: a login storm waits for idle cores.
 */
export class PasswordThreads {
  readonly #threads: number;
  readonly #patience: number;
  readonly #log: Logger;
  /** Started by the first job: a node without logins needs none. */
  #pools: { readonly idle: Piscina; readonly urgent: Piscina } | undefined;
  readonly #queue = new FairQueue<string, Job>();
  /** Jobs that run in idle threads and are overdue. */
  readonly #overdue = new Set<Job>();
  readonly #unfinished = new Set<Promise<unknown>>();
  #running = 0;
  #isUrgentBusy = false;
  #isClosed = false;

  constructor(threads: number, cost: number, log: Logger) {
    this.#threads = threads;
    this.#patience = overdueAfter(cost);
    this.#log = log;
  }

  /**
   * Runs a function of the worker; clients take turns. Rejects with `UNAVAILABLE` when too many jobs wait, or after
   * `close`.
   */
  async run<T>(name: string, task: object, client: string): Promise<T> {
    if (this.#isClosed) throw stopping();
    const isFull =
      this.#queue.size >= this.#threads * MAX_QUEUE_PER_THREAD ||
      this.#queue.sizeOf(client) >= this.#threads * MAX_OF_CLIENT_PER_THREAD;
    if (isFull) throw new ApiError('UNAVAILABLE', 'Too many logins at once; retry in a moment', 2);
    const finished = new Promise<T>((resolve, reject) => {
      this.#queue.push(client, { name, task, resolve, reject, isTakenOver: false });
    });
    this.#startIdle();
    this.#startUrgent();
    this.#unfinished.add(finished);
    return finished.finally(() => this.#unfinished.delete(finished));
  }

  /** Waits for running jobs and rejects the queued ones. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { reject } of this.#queue.clear()) reject(stopping());
    await Promise.race([Promise.allSettled(this.#unfinished), delay(GRACE, undefined, { ref: false })]);
    await Promise.all([this.#pools?.idle.destroy(), this.#pools?.urgent.destroy()]);
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
      void this.#runOn('idle', job).then(() => {
        clearTimeout(timer);
        this.#overdue.delete(job);
        this.#running--;
        this.#startIdle();
      });
    }
  }

  #startUrgent(): void {
    if (this.#isUrgentBusy || this.#overdue.size === 0) return;
    const job = [...this.#overdue].find(({ isTakenOver: isTaken }) => !isTaken) ?? this.#queue.shift();
    if (!job) return;
    this.#isUrgentBusy = true;
    job.isTakenOver = true;
    void this.#runOn('urgent', job).then(() => {
      this.#isUrgentBusy = false;
      this.#startUrgent();
    });
  }

  /** Runs a job in a thread. Resolves when it has succeeded or failed. */
  async #runOn(pool: 'idle' | 'urgent', { name, task, resolve, reject }: Job): Promise<void> {
    try {
      this.#pools ??= createPools(this.#threads, this.#log);
      resolve((await this.#pools[pool].run(task, { name })) as never);
    } catch (error) {
      reject(this.#isClosed ? stopping() : error);
    }
  }
}

const stopping = () => new ApiError('UNAVAILABLE', 'The server is stopping', 1);

function createPools(threads: number, log: Logger) {
  // Threads do not inherit the preloads of the process (`node --import`): a thread that ends closes the files they opened.
  const filename = new URL('./password-worker.cjs', import.meta.url).href;
  const options = { filename, idleTimeout: THREAD_IDLE, execArgv: [] };
  const lowest = { niceIncrement: 10, argv: ['idle'] };
  const idle = new Piscina({ ...options, ...lowest, minThreads: 1, maxThreads: threads });
  const urgent = new Piscina({ ...options, minThreads: 0, maxThreads: 1 });
  // Reports threads that fail outside of a job, for example at start. A failure within a job rejects that job.
  for (const pool of [idle, urgent])
    pool.on('error', (error) => log.error({ err: error }, 'password thread failed'));
  return { idle, urgent };
}
