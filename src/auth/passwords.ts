import { Piscina } from 'piscina';
import { ApiError } from '../errors.ts';

export interface Passwords {
  hash(password: string): Promise<string>;
  /** Compares in the same time whether or not there is a hash: for null the answer is always false. */
  matches(password: string, hash: string | null): Promise<boolean>;
  close(): Promise<void>;
}

/** A bcrypt hash of a random password nobody has; same cost as the real ones. */
const NOBODY = '$2b$10$r05VOjfQcBWRjop/w0/Hp.0Rwd5Z.UQcPvHxj1EqHPeJvjTzu1rkS';

/** Jobs that may wait for a thread: a few seconds' worth, past which a caller had better retry. */
const MAX_QUEUE_PER_THREAD = 100;

/** Hashes passwords with bcrypt on worker threads of low priority, so that a login storm delays no message. */
export function createPasswords(threads: number): Passwords {
  const pool = new Piscina({
    filename: new URL('./password-worker.js', import.meta.url).href,
    minThreads: 1,
    maxThreads: threads,
    maxQueue: threads * MAX_QUEUE_PER_THREAD,
    niceIncrement: 10,
  });

  async function run<T>(name: string, task: unknown): Promise<T> {
    try {
      return await pool.run(task, { name });
    } catch (error) {
      if (pool.queueSize >= threads * MAX_QUEUE_PER_THREAD)
        throw new ApiError('UNAVAILABLE', 'Too many logins at once; retry in a moment', 2);
      throw error;
    }
  }

  return {
    hash: (password) => run('hashPassword', password),
    matches: async (password, hash) =>
      (await run<boolean>('comparePassword', { password, hash: hash ?? NOBODY })) && hash !== null,
    close: () => pool.close(),
  };
}
