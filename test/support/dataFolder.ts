import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type ServerProcess, startProcess } from './process.ts';
import { temporaryFolder } from './run.ts';

const remove = (folder: string) => rm(folder, { recursive: true, force: true });

/** Gives each test of the suite an empty data folder, and stops the server that it started there last. */
export function useDataFolder() {
  let server: ServerProcess | undefined;
  const data = {
    folder: '',
    async start(env: Record<string, string> = {}, launcher: readonly string[] = [], cwd?: string) {
      server = await startProcess({ DATA_DIR: data.folder, ...env }, cwd, launcher);
      return server;
    },
  };
  beforeEach(async () => {
    data.folder = await temporaryFolder();
  });
  afterEach(async () => {
    await server?.stop('SIGTERM');
    server = undefined;
    await remove(data.folder);
  });
  return data;
}

/** Like {@link useDataFolder}, with folders in which a server has run: it starts in a fraction of the time. */
export function useUsedDataFolder() {
  let used = '';
  before(async () => {
    used = await temporaryFolder();
    await (await startProcess({ DATA_DIR: used })).stop('SIGTERM');
  });
  after(() => remove(used));
  const data = useDataFolder();
  beforeEach(async () => {
    await promisify(execFile)('cp', ['-a', `${used}/.`, data.folder]); // with the owner, who is not that of the tests
  });
  return data;
}
