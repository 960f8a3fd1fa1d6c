import { compare, hash } from 'bcryptjs';

/*
 * Runs in the worker threads of passwords.ts: bcrypt takes tens of milliseconds of pure CPU. Plain JavaScript,
 * because Node loads it into the threads itself, in development, too.
 */

/** The work factor: about 60 ms on the machines of 2025. */
const COST = 10;

/** @param {string} password */
export function hashPassword(password) {
  return hash(password, COST);
}

/** @param {{ password: string, hash: string }} task */
export function comparePassword(task) {
  return compare(task.password, task.hash);
}
