import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { getRounds } from 'bcryptjs';
import type { Logger } from 'pino';
import { Piscina } from 'piscina';
import { ApiError } from '../errors.ts';
import { preparePassword } from '../text/opaqueString.ts';
import { ofClient, PasswordQueue } from './passwordQueue.ts';

/**
 * Passwords are hashed and compared as {@link preparePassword} prepares them. `client` is for whom: clients take turns,
 * and what one of them asks for delays no other one. Where too much waits already, both reject with `UNAVAILABLE`.
 */
export interface Passwords {
  hash(password: string, client: string): Promise<string>;
  /**
   * Compares in the same time whether or not there is a hash: for null the answer is always `wrong`. It is `outdated` for
   * a hash of the right password that had better be renewed: made when hashing cost less, or of the password as it was
   * typed.
   */
  compare(password: string, hash: string | null, client: string): Promise<'wrong' | 'right' | 'outdated'>;
  /** Lets what a thread is at be finished, and gives up what waits for one: with `UNAVAILABLE`, as all that comes later. */
  close(): Promise<void>;
}

/** Jobs that may wait for a thread, in all and of one client: a few seconds' worth, past which a caller had better retry. */
const MAX_QUEUE_PER_THREAD = 200;
const MAX_OF_CLIENT_PER_THREAD = 100;
/** Milliseconds for which a thread without work stays: starting one and compiling bcrypt there takes as long as two hashes. */
const THREAD_IDLE = 60_000;
/** Milliseconds for which a stop waits for what threads are at: where cores are busy, they hardly run. */
const GRACE = 2_000;

/**
 * Hashes passwords with bcrypt on worker threads of low priority, so that a login storm delays no message: see
 * password-worker.js. One more of `cost` doubles the time of a hash; with 10 it is about 70 ms on the machines of 2025.
 */
export function createPasswords(threads: number, cost: number, log: Logger): Passwords {
  const queue = new PasswordQueue();
  const pool = new Piscina({
    filename: new URL('./password-worker.js', import.meta.url).href,
    minThreads: 1,
    maxThreads: threads,
    idleTimeout: THREAD_IDLE,
    taskQueue: queue,
    niceIncrement: 10,
  });

  // Of a thread that fails between two jobs, such as one that cannot start; the job of one that fails has its own.
  pool.on('error', (error) => log.error({ err: error }, 'a password thread failed'));

  const unfinished = new Set<Promise<unknown>>();
  let isClosed = false;

  async function run<T>(name: string, task: object, client: string): Promise<T> {
    if (isClosed) throw stopping();
    const isFull =
      queue.size >= threads * MAX_QUEUE_PER_THREAD ||
      queue.sizeOf(client) >= threads * MAX_OF_CLIENT_PER_THREAD;
    if (isFull) throw new ApiError('UNAVAILABLE', 'Too many logins at once; retry in a moment', 2);
    const finished = new Promise<T>((resolve, reject) => {
      const givenUp = () => reject(stopping());
      pool
        .run(ofClient(task, client, givenUp), { name })
        .then(resolve, (error) => (isClosed ? givenUp() : reject(error)));
    });
    unfinished.add(finished);
    return finished.finally(() => unfinished.delete(finished));
  }

  const hash = (password: string, client: string) =>
    run<string>('hashPassword', { password: preparePassword(password), cost }, client);
  /** Of a password nobody has, at the same cost as the real ones. */
  const nobody = hash(randomBytes(16).toString('hex'), '');
  nobody.catch(() => {}); // closed at once
  unfinished.clear(); // and then nobody waits for this one

  return {
    hash,
    async compare(password, known, client) {
      const hash = known ?? (await nobody);
      const matches = (form: string) => run<boolean>('comparePassword', { password: form, hash }, client);
      const prepared = preparePassword(password);
      if (await matches(prepared))
        return known === null ? 'wrong' : getRounds(hash) < cost ? 'outdated' : 'right';
      const isRight = prepared !== password && (await matches(password));
      return isRight && known !== null ? 'outdated' : 'wrong';
    },
    async close() {
      isClosed = true;
      queue.giveUp();
      await Promise.race([Promise.allSettled(unfinished), delay(GRACE, undefined, { ref: false })]);
      await pool.destroy();
    },
  };
}

const stopping = () => new ApiError('UNAVAILABLE', 'The server is stopping', 1);
