const { spawnSync } = require('node:child_process');
const { readlinkSync } = require('node:fs');
const { compareSync, hashSync } = require('bcryptjs');

/*
 * Runs in the worker threads of PasswordThreads.ts, because bcrypt takes tens of milliseconds of CPU time. This file is
 * plain JavaScript because Node itself loads it into the threads, in development as well, and CommonJS because Node
 * (seen with 20.20) aborts the process when a thread is ended while it loads an ES module by `require`, as Piscina does.
 */

if (process.argv.includes('idle')) runWhenIdle();

/** @param {{ password: string, cost: number }} task */
function hashPassword({ password, cost }) {
  return hashSync(password, cost);
}

/** @param {{ password: string, hash: string }} task */
function comparePassword({ password, hash }) {
  return compareSync(password, hash);
}

module.exports = { hashPassword, comparePassword };

/**
 * Runs this thread only on cores that are otherwise idle (SCHED_IDLE of Linux). The scheduler treats a core that runs
 * such a thread as idle, so the server and the database are woken there at once. A nice value alone is not enough: it
 * counts only within a session or container, and a thread with one still finishes its time slice. Node has no function
 * for SCHED_IDLE; without the program `chrt` (util-linux, BusyBox) only the nice value applies.
 */
function runWhenIdle() {
  if (process.platform !== 'linux') return;
  try {
    const thread = readlinkSync('/proc/thread-self').replace(/.*\//, '');
    spawnSync('chrt', ['-i', '-p', '0', thread], { stdio: 'ignore' });
  } catch {
    // /proc is not mounted
  }
}
