import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createFile, fillFile, removeLeftovers } from './files.ts';
import { StartError } from './protocol/errors.ts';

/** Minimum bytes of a secret; shorter ones were truncated when they were written. */
const MIN_SECRET = 32;

const generate = () => randomBytes(32).toString('hex');

/**
 * Returns the random secret of a file that only its owner can read, and generates it on first use: servers that start
 * at the same time get the same. An empty file, which older versions left after a full disk or a kill, is filled,
 * because no secret was in use then. Throws a {@link StartError} if the secret is too short.
 */
export async function storedSecret(file: string): Promise<string> {
  const known = await readSecret(file);
  await removeLeftovers(file).catch(() => {}); // the folder does not exist or is read-only
  if (known) return known;
  await mkdir(dirname(file), { recursive: true });
  if (known === undefined) await createFile(file, generate(), 0o600);
  else await fillFile(file, generate(), 0o600);
  const made = await readSecret(file); // may be the secret of another server
  if (!made) throw new StartError(`${file} was removed or emptied during the start`);
  return made;
}

/** Reads a secret. Returns undefined if there is no file, and an empty string if the file is empty. */
export async function readSecret(file: string): Promise<string | undefined> {
  const content = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new StartError(
      `${file} cannot be read (${error.code}); expected a file with the secret that this server generated`,
    );
  });
  const secret = content?.trim();
  if (secret && Buffer.byteLength(secret) < MIN_SECRET)
    throw new StartError(
      `${file} has ${Buffer.byteLength(secret)} bytes; expected at least ${MIN_SECRET}. Restore it from a backup, or delete it to generate another one.`,
    );
  return secret;
}
