import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createFile, fillFile, removeLeftovers } from './files.ts';
import { StartError } from './protocol/errors.ts';

/** Bytes of a secret that was cut off when it was written, or of none. */
const MIN_SECRET = 32;

const generate = () => randomBytes(32).toString('hex');

/**
 * A random secret, made once and kept readable for the owner only: servers that start at the same time agree on one.
 * An empty file, as older versions left where a full disk or a kill came between, is filled: nothing was ever secured
 * with it. Throws a {@link StartError} for one that is too short.
 */
export async function keptSecret(file: string): Promise<string> {
  const known = await readSecret(file);
  await removeLeftovers(file).catch(() => {}); // no folder yet, or one that is only read
  if (known) return known;
  await mkdir(dirname(file), { recursive: true });
  if (known === undefined) await createFile(file, generate(), 0o600);
  else await fillFile(file, generate(), 0o600);
  const made = await readSecret(file); // perhaps another server's
  if (!made) throw new StartError(`${file} was taken away or emptied during the start`);
  return made;
}

/** A secret that was made before; undefined without a file, and empty where nothing is in it. */
export async function readSecret(file: string): Promise<string | undefined> {
  const content = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new StartError(`${file} cannot be read (${error.code}); expected a secret that this server made`);
  });
  const secret = content?.trim();
  if (secret && Buffer.byteLength(secret) < MIN_SECRET)
    throw new StartError(
      `${file} has ${Buffer.byteLength(secret)} bytes; expected at least ${MIN_SECRET}. Restore it from a backup, or delete it to have another one made.`,
    );
  return secret;
}
