import { randomBytes } from 'node:crypto';
import { genSaltSync, getRounds } from 'bcryptjs';
import type { Logger } from 'pino';
import { preparePassword } from '../text/opaqueString.ts';
import { PasswordThreads } from './PasswordThreads.ts';

/**
 * Hashes and compares passwords as {@link preparePassword} returns them. `client` identifies the client that waits for
 * the result: clients take turns, so none delays another. When too many jobs wait, both functions reject with
 * `UNAVAILABLE`.
 */
export interface Passwords {
  hash(password: string, client: string): Promise<string>;
  /**
   * Compares a password with a hash, in the same time whether or not there is a hash; for null the result is always
   * `wrong`. The result is `outdated` if the password is right but its hash should be replaced: it was made with a
   * lower cost, or from the password as typed.
   */
  compare(password: string, hash: string | null, client: string): Promise<'wrong' | 'right' | 'outdated'>;
  /** Waits for running jobs. Rejects queued and later ones with `UNAVAILABLE`. */
  close(): Promise<void>;
}

/**
 * Hashes passwords with bcrypt in {@link PasswordThreads}, so that a login storm delays no messages. Each increment of
 * `cost` doubles the time of a hash; a cost of 10 takes about 70 ms on a machine of 2025.
 */
export function createPasswords(threads: number, cost: number, log: Logger): Passwords {
  const pool = new PasswordThreads(threads, cost, log);
  const hash = (password: string, client: string) =>
    pool.run<string>('hashPassword', { password: preparePassword(password), cost }, client);
  const dummyHash = hashOfNothing(cost);

  return {
    hash,
    async compare(password, known, client) {
      const hash = known ?? dummyHash;
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

/** Characters of a bcrypt hash after its salt. */
const DIGEST_LENGTH = 31;

/** Returns a hash that no password has, compared for unknown accounts so that the time is the same. */
const hashOfNothing = (cost: number): string =>
  genSaltSync(cost) + randomBytes(DIGEST_LENGTH).toString('hex').slice(0, DIGEST_LENGTH);
