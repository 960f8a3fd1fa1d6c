import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, ftruncateSync, openSync, writeSync } from 'node:fs';
import { readFile, readlink } from 'node:fs/promises';
import { platform } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StartError } from '../protocol/errors.ts';

/*
 * Determines which server uses a data folder. The locks are those of the operating system on open files: they are
 * released when the last process that has the file open ends for any reason, and they are effective across containers
 * that share a volume. A process id is useless there: in two containers both servers have the id 1.
 *
 * Node has no function for it. On Linux `flock` (util-linux, BusyBox) locks a file that it inherits: the lock belongs
 * to the open file of both processes and stays with this one when `flock` has exited. On macOS and Windows opening a
 * file can lock it.
 */

/** The descriptor of an open and locked file. It is not a `FileHandle`, because garbage collection would close that. */
export type Lock = number;

/** O_EXLOCK of macOS, and UV_FS_O_EXLOCK, which libuv knows on Windows. */
const LOCKING: Partial<Record<NodeJS.Platform, number>> = { darwin: 0x20, win32: 0x1000_0000 };

/** Locks a file, which is created if it is missing. Returns undefined if another process holds the lock. */
export async function tryLock(file: string): Promise<Lock | undefined> {
  const locking = LOCKING[platform()];
  const flags = constants.O_RDWR | constants.O_CREAT;
  if (locking === undefined) {
    const descriptor = openSync(file, flags, 0o600);
    if (await flock(descriptor, file)) return descriptor;
    closeSync(descriptor);
    return undefined;
  }
  try {
    return openSync(file, flags | locking | (constants.O_NONBLOCK ?? 0), 0o600);
  } catch (error) {
    if (/^(EAGAIN|EBUSY)$/.test((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

async function flock(descriptor: number, file: string): Promise<boolean> {
  const child = spawn('flock', ['-n', '3'], { stdio: ['ignore', 'ignore', 'pipe', descriptor] });
  let complaint = '';
  child.stderr?.on('data', (chunk) => {
    complaint += chunk;
  });
  try {
    await once(child, 'close');
  } catch (error) {
    complaint = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'flock is not installed' : String(error);
  }
  if (child.exitCode === 0) return true;
  if (child.exitCode === 1 && complaint === '') return false;
  throw new StartError(
    `${file} cannot be locked: ${complaint.trim()}. Expected the program flock (of util-linux) and a file system with locks; or set DATABASE_URL.`,
  );
}

export function unlock(lock: Lock): void {
  closeSync(lock);
}

const ownerFile = (home: string) => join(home, 'server.pid');

/**
 * Attempts to claim a folder, and milliseconds between them: an operator's command holds the lock for a moment when it
 * checks it.
 */
const CLAIM_ATTEMPTS = 5;
const CLAIM_PAUSE = 200;

/**
 * Claims a data folder for this server until it is unlocked or the process ends, so that at most one server uses it.
 */
export async function claim(home: string): Promise<Lock> {
  for (let attempt = 1; attempt <= CLAIM_ATTEMPTS; attempt++) {
    const lock = await tryLock(ownerFile(home));
    if (lock !== undefined) {
      ftruncateSync(lock);
      writeSync(lock, String(process.pid)); // only for the error message of another server
      return lock;
    }
    await delay(CLAIM_PAUSE);
  }
  const owner = await readFile(ownerFile(home), 'utf8').catch(() => '');
  throw new StartError(
    `${home} is in use by another server (process ${owner.trim() || 'unknown'}). Stop it, or set DATA_DIR or DATABASE_URL.`,
  );
}

/** Returns true if a live server uses a data folder. */
export async function isClaimed(home: string): Promise<boolean> {
  const lock = await tryLock(ownerFile(home));
  if (lock === undefined) return true;
  unlock(lock);
  return false;
}

/**
 * Returns true if a pid is the live postmaster of this cluster, which is its working directory, and not another process
 * that got the same number later. A postmaster in another container is not found, but it holds the lock of the cluster.
 */
export async function isPostmasterOf(pid: number, cluster: string): Promise<boolean> {
  return isAlive(pid) && (await workingFolderOf(pid, cluster)) === cluster;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Returns the working folder of a process on Linux, empty for one that has exited but was not reaped. Returns `unknown`
 * on other systems.
 */
async function workingFolderOf(pid: number, unknown: string): Promise<string> {
  return platform() === 'linux' ? readlink(`/proc/${pid}/cwd`).catch(() => '') : unknown;
}
