import { randomUUID } from 'node:crypto';
import { link, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/*
 * Writes files atomically: the content is written to a temporary file beside the target, flushed to the disk and then
 * renamed or linked to the target, so that a crash never leaves a partial file.
 */

/** Writes a file, replacing an existing one. */
export async function replaceFile(file: string, content: string, mode = 0o666): Promise<void> {
  await writeTemporary(file, content, mode, (written) => rename(written, file));
}

/** Error codes of file systems without hard links. */
const NO_LINKS = /^(EPERM|ENOSYS|ENOTSUP|EOPNOTSUPP)$/;

/** Creates a file. Returns false and changes nothing if it exists: of several concurrent attempts one succeeds. */
export async function createFile(file: string, content: string, mode = 0o666): Promise<boolean> {
  return writeTemporary(file, content, mode, async (written) => {
    try {
      await link(written, file); // unlike rename, link never replaces a file
      return true;
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') return false;
      if (!NO_LINKS.test(code)) throw error;
      await rename(written, file); // without links, the last of several attempts wins
      return true;
    }
  });
}

/** Suffix of temporary files. */
const TEMPORARY_SUFFIX = /^(\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})+$/;
/** Milliseconds after which a temporary file counts as left by a killed process. */
const STALE_AFTER = 60_000;
/** Milliseconds between two checks for the result of another server. */
const PAUSE = 50;

/** Fills an empty file. Of several concurrent attempts one succeeds, and the others then return. */
export async function fillFile(file: string, content: string, mode = 0o666): Promise<void> {
  const lock = `${file}.00000000-0000-0000-0000-000000000000`; // a lock: its creator may rename it to the file
  while (!(await createFile(lock, content, mode))) {
    if ((await stat(file)).size > 0) return;
    await removeLeftovers(file);
    await delay(PAUSE);
  }
  if ((await stat(file)).size > 0) await rm(lock);
  else await rename(lock, file);
}

/** Removes the temporary files of a file that killed processes left. */
export async function removeLeftovers(file: string): Promise<void> {
  const folder = dirname(file);
  const name = basename(file);
  const temporary = (await readdir(folder)).filter(
    (other) => other.startsWith(name) && TEMPORARY_SUFFIX.test(other.slice(name.length)),
  );
  if (temporary.length === 0) return;
  // Uses the clock that sets the times of files, which for a network folder is that of another machine.
  const now = await writeTemporary(file, '', 0o600, async (probe) => (await stat(probe)).mtimeMs);
  for (const other of temporary) {
    const path = join(folder, other);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: now })); // it was renamed to the file by now
    if (now - mtimeMs > STALE_AFTER) await rm(path, { force: true });
  }
}

async function writeTemporary<T>(
  file: string,
  content: string,
  mode: number,
  publish: (written: string) => Promise<T>,
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
    const placed = await publish(written);
    await syncFolder(dirname(file));
    return placed;
  } finally {
    await rm(written, { force: true });
  }
}

/** Flushes the entries of a folder, if the system supports it: Windows cannot open folders. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder).catch(() => undefined);
  try {
    await handle?.sync();
  } finally {
    await handle?.close();
  }
}
