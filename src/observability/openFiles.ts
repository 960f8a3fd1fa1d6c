import { opendir, stat } from 'node:fs/promises';
import { Gauge, type Registry } from 'prom-client';

const NAME = 'process_open_fds';
/** The folder of the open files of this process. It exists on Linux only. */
const FOLDER = '/proc/self/fd';

/**
 * Replaces the gauge of open files in the default metrics of prom-client, which lists all files at each scrape and
 * thereby blocks the event loop for 3 ms per 1,000 connections.
 */
export function gaugeOpenFiles(registry: Registry): void {
  if (!registry.getSingleMetric(NAME)) return;
  registry.removeSingleMetric(NAME);
  new Gauge({
    name: NAME,
    help: 'Number of open file descriptors.',
    registers: [registry],
    async collect() {
      const count = await countOpenFiles().catch(() => undefined); // the folder may be unreadable
      if (count !== undefined) this.set(count);
    },
  });
}

/**
 * Returns the number of open files. Linux reports it as the size of the folder since 6.2; older versions report 0, so
 * the folder is read in parts.
 */
async function countOpenFiles(): Promise<number> {
  const { size } = await stat(FOLDER);
  if (size > 0) return size;
  let count = 0;
  for await (const _ of await opendir(FOLDER, { bufferSize: 1_000 })) count++;
  return count - 1; // the folder itself
}
