import { opendir, stat } from 'node:fs/promises';
import { Gauge, type Registry } from 'prom-client';

const NAME = 'process_open_fds';
/** The open files of this process, as Linux shows them; elsewhere there is no such folder. */
const FOLDER = '/proc/self/fd';

/**
 * Replaces the gauge of open files in the default metrics of prom-client: that one lists them all at each scrape, which
 * blocks the event loop for 3 ms per 1,000 connections.
 */
export function gaugeOpenFiles(registry: Registry): void {
  if (!registry.getSingleMetric(NAME)) return;
  registry.removeSingleMetric(NAME);
  new Gauge({
    name: NAME,
    help: 'Number of open file descriptors.',
    registers: [registry],
    async collect() {
      const count = await countOpenFiles().catch(() => undefined); // not for everybody to see
      if (count !== undefined) this.set(count);
    },
  });
}

/** Linux says how many there are since 6.2; older ones say 0, and the folder is read in parts. */
async function countOpenFiles(): Promise<number> {
  const { size } = await stat(FOLDER);
  if (size > 0) return size;
  let count = 0;
  for await (const _ of await opendir(FOLDER, { bufferSize: 1_000 })) count++;
  return count - 1; // the folder itself
}
