import { readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { platform } from 'node:os';
import { basename, join } from 'node:path';
import { StartError } from '../errors.ts';

/* Who uses a data folder: pid files outlive a kill -9, and the numbers in them may be somebody else's by then. */

const ownerFile = (home: string) => join(home, 'server.pid');

const ownerOf = async (home: string) => Number(await readFile(ownerFile(home), 'utf8').catch(() => ''));

/** One server per data folder: refuses while the server that claimed it before is alive. */
export async function claim(home: string): Promise<void> {
  if (await isClaimed(home))
    throw new StartError(
      `${home} is in use by another server (process ${await ownerOf(home)}). Stop it, or set DATA_DIR or DATABASE_URL.`,
    );
  await writeFile(ownerFile(home), String(process.pid));
}

/** Whether a live server other than this process uses a data folder. */
export async function isClaimed(home: string): Promise<boolean> {
  const owner = await ownerOf(home);
  return owner > 0 && owner !== process.pid && isServer(owner);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether a live pid is a Node process still, not a stranger that was given the number since. */
async function isServer(pid: number): Promise<boolean> {
  return isAlive(pid) && basename(await linkOf(pid, 'exe', process.execPath)) === basename(process.execPath);
}

/** Whether a live pid is the postmaster of this cluster, whose working directory it is, not a stranger. */
export async function isPostmasterOf(pid: number, cluster: string): Promise<boolean> {
  return isAlive(pid) && (await linkOf(pid, 'cwd', cluster)) === cluster;
}

/** What Linux tells of a process; empty for one that has ended but was not reaped. Other systems: `unknown`. */
async function linkOf(pid: number, link: 'cwd' | 'exe', unknown: string): Promise<string> {
  return platform() === 'linux' ? readlink(`/proc/${pid}/${link}`).catch(() => '') : unknown;
}

/** Gives a data folder free again. */
export async function release(home: string): Promise<void> {
  await rm(ownerFile(home), { force: true });
}
