import { randomUUID } from 'node:crypto';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Config } from './config.ts';
import { StartError } from './protocol/errors.ts';
import { readSecret } from './secrets.ts';

/** Returns the file in which the generated secret of tokens is stored. */
export const secretFile = ({ dataDir }: Pick<Config, 'dataDir'>): string => join(dataDir, 'jwt-secret');

/**
 * Creates the data folder if the configuration needs one. Throws a {@link StartError} if it cannot be created, is not a
 * folder, or cannot be written to although more than an existing secret is needed from it.
 */
export async function prepareDataDir(config: Config): Promise<void> {
  const { dataDir, databaseUrl, jwtSecret } = config;
  if (databaseUrl !== undefined && jwtSecret.length > 0) return;
  await makeFolder(resolve(dataDir)).catch((error) => refuse(error, 'cannot be created'));
  if (databaseUrl !== undefined && (await readSecret(secretFile(config)))) return;
  const probe = join(dataDir, `.probe.${randomUUID()}`);
  try {
    await writeFile(probe, '');
    await rm(probe);
  } catch (error) {
    refuse(error as NodeJS.ErrnoException, 'cannot be written to');
  }

  function refuse({ code }: NodeJS.ErrnoException, problem: string): never {
    const reason = code === 'EEXIST' ? 'is not a folder' : `${problem} (${code})`;
    const other = databaseUrl === undefined ? 'DATABASE_URL' : 'JWT_SECRET';
    throw new StartError(
      `DATA_DIR is "${dataDir}", which ${reason}; expected a folder that the server can create and write to, or ${other} to be set`,
    );
  }
}

/**
 * Creates a folder and its parents. The recursive `mkdir` of Node is not used because it never ends where the system
 * answers ENOENT for an existing parent, as in /proc.
 */
async function makeFolder(folder: string): Promise<void> {
  const known = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (known?.isDirectory()) return;
  if (!known && folder !== dirname(folder)) await makeFolder(dirname(folder));
  await mkdir(folder).catch(async (error: NodeJS.ErrnoException) => {
    const isMade = error.code === 'EEXIST' && (await stat(folder).catch(() => undefined))?.isDirectory();
    if (!isMade) throw error; // another server may have created it
  });
}
