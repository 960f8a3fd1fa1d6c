import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { databaseUrl, http, JWT_SECRET, temporaryFolder } from './harness.ts';
import { type ServerProcess, startProcess } from './process.ts';
import { until } from './until.ts';

const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';

/** A server on the shared database with a clock of its own. */
export interface ServerWithClock extends ServerProcess {
  /** Sets the clock, for example by `+2h` or `-5s`, and resolves when the server uses it. */
  setClock(offset: string): Promise<void>;
}

/** Skips the tests when libfaketime is not installed (Debian: faketime). */
export function needFaketime(this: Mocha.Context): void {
  if (existsSync(LIBRARY)) return;
  console.log('      skipped: there is no libfaketime here');
  this.skip();
}

/** Starts a server with a clock at an offset from the real time. Durations are not changed. */
export async function startWithClock(
  offset: string,
  env: Record<string, string> = {},
): Promise<ServerWithClock> {
  const folder = await temporaryFolder();
  const file = join(folder, 'clock');
  await writeFile(file, offset);
  const server = await startProcess({
    DATABASE_URL: databaseUrl(),
    JWT_SECRET,
    LD_PRELOAD: LIBRARY,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_CACHE_DURATION: '1', // seconds between two reads of the file
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    LOG_LEVEL: 'debug',
    ...env,
  });
  return {
    ...server,
    async setClock(other) {
      await writeFile(file, other);
      const expected = Date.now() + milliseconds(other);
      await until(async () => {
        await http('GET', '/health/live', { url: server.url }); // logged with the time of the server
        return Math.abs(Number(server.log.at(-1)?.time) - expected) < 60_000;
      });
    },
    async stop(signal) {
      const code = await server.stop(signal);
      await rm(folder, { recursive: true, force: true });
      return code;
    },
  };
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };
const milliseconds = (offset: string) => Number.parseInt(offset, 10) * (UNITS[offset.at(-1) ?? ''] ?? 1_000);
