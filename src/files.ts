import { randomUUID } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

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
