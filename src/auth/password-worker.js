import { compare, hash } from 'bcryptjs';

/*
 * Runs in the worker threads of passwords.ts: bcrypt takes tens of milliseconds of pure CPU. Plain JavaScript,
 * because Node loads it into the threads itself, in development, too.
 */

/** @param {{ password: string, cost: number }} task */
export function hashPassword({ password, cost }) {
  return hash(password, cost);
}

/** @param {{ password: string, hash: string }} task */
export function comparePassword(task) {
  return compare(task.password, task.hash);
}
