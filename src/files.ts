import { randomUUID } from 'node:crypto';
import { link, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/*
 * Files that are there whole or not at all, whatever happens meanwhile: they are written beside, flushed to the disk
 * and then put in their place.
 */

/** Puts a file in the place of another, or where there was none. */
export async function replaceFile(file: string, content: string, mode = 0o666): Promise<void> {
  await writeBeside(file, content, mode, (written) => rename(written, file));
}

/** What systems say where files cannot have two names. */
const NO_LINKS = /^(EPERM|ENOSYS|ENOTSUP|EOPNOTSUPP)$/;

/** Creates a file; false, and nothing done, where there is one: of several that try at the same time one succeeds. */
export async function createFile(file: string, content: string, mode = 0o666): Promise<boolean> {
  return writeBeside(file, content, mode, async (written) => {
    try {
      await link(written, file); // refuses where rename would replace
      return true;
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') return false;
      if (!NO_LINKS.test(code)) throw error;
      await rename(written, file); // the last one succeeds
      return true;
    }
  });
}

/** Suffix of files that are written beside others. */
const BESIDE = /^(\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})+$/;
/** Milliseconds after which a file that was written beside another is one that a kill left. */
const LEFT_AFTER = 60_000;
/** Milliseconds between two looks at what another server does. */
const PAUSE = 50;

/** Fills an empty file: of several that try at the same time one succeeds, and the others return when it has. */
export async function fillFile(file: string, content: string, mode = 0o666): Promise<void> {
  const turn = `${file}.00000000-0000-0000-0000-000000000000`; // whoever creates it may put it in the place of the file
  while (!(await createFile(turn, content, mode))) {
    if ((await stat(file)).size > 0) return;
    await removeLeftovers(file);
    await delay(PAUSE);
  }
  if ((await stat(file)).size > 0) await rm(turn);
  else await rename(turn, file);
}

/** Removes what a kill left beside a file while it was written. */
export async function removeLeftovers(file: string): Promise<void> {
  const folder = dirname(file);
  const name = basename(file);
  const beside = (await readdir(folder)).filter(
    (other) => other.startsWith(name) && BESIDE.test(other.slice(name.length)),
  );
  if (beside.length === 0) return;
  // By the clock that gives files their times: that of another machine where the folder is one of its.
  const now = await writeBeside(file, '', 0o600, async (probe) => (await stat(probe)).mtimeMs);
  for (const other of beside) {
    const path = join(folder, other);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: now })); // put in its place meanwhile
    if (now - mtimeMs > LEFT_AFTER) await rm(path, { force: true });
  }
}

async function writeBeside<T>(
  file: string,
  content: string,
  mode: number,
  place: (written: string) => Promise<T>,
): Promise<T> {
  const written = `${file}.${randomUUID()}`;
  try {
    const handle = await open(written, 'wx', mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    const placed = await place(written);
    await syncFolder(dirname(file));
    return placed;
  } finally {
    await rm(written, { force: true });
  }
}

/** Flushes the names of a folder, where the system can: Windows opens none. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder).catch(() => undefined);
  try {
    await handle?.sync();
  } finally {
    await handle?.close();
  }
}
