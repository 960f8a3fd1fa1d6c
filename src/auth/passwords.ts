import { randomBytes } from 'node:crypto';
import { getRounds } from 'bcryptjs';
import type { Logger } from 'pino';
import { preparePassword } from '../text/opaqueString.ts';
import { PasswordThreads } from './passwordThreads.ts';

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

/**
 * Hashes passwords with bcrypt on {@link PasswordThreads}, so that a login storm delays no message. One more of `cost`
 * doubles the time of a hash; with 10 it is about 70 ms on the machines of 2025.
 */
export function createPasswords(threads: number, cost: number, log: Logger): Passwords {
  const pool = new PasswordThreads(threads, cost, log);
  const hash = (password: string, client: string, wanted?: boolean) =>
    pool.run<string>('hashPassword', { password: preparePassword(password), cost }, client, wanted);
  /** Of a password nobody has, at the same cost as the real ones. */
  const nobody = hash(randomBytes(16).toString('hex'), '', false);
  nobody.catch(() => {}); // closed at once

  return {
    hash: (password, client) => hash(password, client),
    async compare(password, known, client) {
      const hash = known ?? (await nobody);
      const matches = (form: string) =>
        pool.run<boolean>('comparePassword', { password: form, hash }, client);
      const prepared = preparePassword(password);
      if (await matches(prepared))
        return known === null ? 'wrong' : getRounds(hash) < cost ? 'outdated' : 'right';
      const isRight = prepared !== password && (await matches(password));
      return isRight && known !== null ? 'outdated' : 'wrong';
    },
    close: () => pool.close(),
  };
}
