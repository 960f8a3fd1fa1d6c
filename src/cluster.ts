import { parseArgs } from 'node:util';
import { loadConfig } from './config.ts';
import { assertPort } from './net/port.ts';
import { StartError } from './protocol/errors.ts';
import { Supervisor } from './Supervisor.ts';
import { print, Workers } from './Workers.ts';

/*
 * Runs several nodes on one machine that share its port: `npm run start:cluster -- --workers N`, or `WORKERS=N`. The
 * kernel distributes connections among them (SO_REUSEPORT). SIGHUP replaces them one after another: the old worker
 * serves until the new one does. A worker that exits is restarted after growing pauses. When the starts of a worker
 * keep failing, the supervisor gives up on it and continues with the others.
 */

// A closed terminal or pipe must not end the workers.
process.stderr.on('error', () => {});

try {
  const { values } = parseArgs({ options: { workers: { type: 'string' } } });
  const config = loadConfig(values.workers === undefined ? {} : { WORKERS: values.workers });
  if (config.workers > 1 && config.natsUrl.length === 0)
    throw new StartError('NATS_URL is unset; expected the URL of a NATS server that connects the workers');
  if (config.port === 0) throw new StartError('PORT is 0; expected a port that the workers share');
  if (!config.sharesPort) await assertPort(config.host, config.port); // workers cannot detect another program at a shared port
  const supervisor = new Supervisor(new Workers(config), config.workers, fail);
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => void supervisor.stop(signal).catch(fail));
  process.on('SIGHUP', () => void supervisor.replaceAll().catch(fail));
} catch (error) {
  print(error instanceof StartError ? error.message : String((error as Error).stack));
  process.exit(1);
}

/** Ends the supervisor after a bug of its own. Its workers end as well, because nothing would restart or stop them. */
function fail(error: unknown): void {
  print(String((error as Error).stack ?? error));
  process.exit(1);
}
