import { rm } from 'node:fs/promises';
import { type ServerProcess, startProcess } from './process.ts';
import { temporaryFolder } from './run.ts';

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
    await rm(data.folder, { recursive: true, force: true });
  });
  return data;
}
