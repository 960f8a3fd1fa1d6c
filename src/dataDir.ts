import { randomUUID } from 'node:crypto';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Config } from './config.ts';
import { StartError } from './protocol/errors.ts';
import { readSecret } from './secrets.ts';

/** Where the secret of tokens is kept that the server makes itself. */
export const secretFile = ({ dataDir }: Pick<Config, 'dataDir'>): string => join(dataDir, 'jwt-secret');

/**
 * Makes the data folder, where the configuration needs one. Throws a {@link StartError} when it cannot be made, is no
 * folder, or cannot be written to, unless all that is needed of it is a secret that is there.
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
    const what = code === 'EEXIST' ? 'is not a folder' : `${problem} (${code})`;
    const other = databaseUrl === undefined ? 'DATABASE_URL' : 'JWT_SECRET';
    throw new StartError(
      `DATA_DIR is "${dataDir}", which ${what}; expected a folder that the server may make and write to, or ${other} to be set`,
    );
  }
}

/**
 * Makes a folder and those above it. `mkdir` of Node does so, too, but never ends where the system says that there is no
 * folder to make another one in, though there is, as in /proc.
 */
async function makeFolder(folder: string): Promise<void> {
  const known = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (known?.isDirectory()) return;
  if (!known && folder !== dirname(folder)) await makeFolder(dirname(folder));
  await mkdir(folder).catch(async (error: NodeJS.ErrnoException) => {
    const isMade = error.code === 'EEXIST' && (await stat(folder).catch(() => undefined))?.isDirectory();
    if (!isMade) throw error; // and not by another server meanwhile
  });
}
