import { spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { compareSync, hashSync } from 'bcryptjs';

/*
 * Runs in the worker threads of passwordThreads.ts: bcrypt takes tens of milliseconds of pure CPU. Plain JavaScript,
 * because Node loads it into the threads itself, in development, too.
 */

if (process.argv.includes('idle')) runWhenIdle();

/** @param {{ password: string, cost: number }} task */
export function hashPassword({ password, cost }) {
  return hashSync(password, cost);
}

/** @param {{ password: string, hash: string }} task */
export function comparePassword({ password, hash }) {
  return compareSync(password, hash);
}

/**
 * Lets this thread run where a core has nothing else to do (SCHED_IDLE of Linux): the scheduler takes such a core for
 * an idle one, and wakes the server and the database there at once. A niceness alone is weighed only within a session
 * or container, and a thread that has it is first let finish its slice. Node has no call for it; without the program
 * `chrt` (util-linux, BusyBox), the niceness remains.
 */
function runWhenIdle() {
  if (process.platform !== 'linux') return;
  try {
    const thread = readlinkSync('/proc/thread-self').replace(/.*\//, '');
    spawnSync('chrt', ['-i', '-p', '0', thread], { stdio: 'ignore' });
  } catch {
    // there is no /proc
  }
}
