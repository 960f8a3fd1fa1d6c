import { loadConfig } from './config.ts';
import { StartError } from './errors.ts';
import { createFaults } from './observability/faults.ts';
import { createLog } from './observability/log.ts';
import { startServer } from './server.ts';

/* Start: configuration, compose, listen, signals; nothing else. */

/** A stop that takes longer than this, in milliseconds, and than what closing sockets may take, is cut short. */
const STOP_DEADLINE = 9_500;

try {
  const config = loadConfig();
  const faults = config.sentryDsn === undefined ? undefined : await createFaults(config.sentryDsn);
  const log = createLog({ level: config.logLevel, faults });
  const starting = startServer(config, log);

  let stopping = false;
  const stop = async (reason: string, exitCode: number) => {
    if (stopping) return;
    stopping = true;
    log.info({ reason }, 'stopping');
    setTimeout(() => process.exit(1), STOP_DEADLINE + config.drainSeconds * 1000).unref();
    const server = await starting; // a stop during the start takes effect when there is something to stop
    await server.close();
    await faults?.flush();
    log.info('stopped');
    process.exit(exitCode);
  };
  process.on('SIGTERM', (signal) => stop(signal, 0));
  process.on('SIGINT', (signal) => stop(signal, 0));
  for (const fault of ['uncaughtException', 'unhandledRejection'] as const)
    process.on(fault, (error) => {
      log.fatal({ err: error }, fault);
      stop(fault, 1);
    });

  // As a worker: not without the process that starts and stops it.
  process.on('disconnect', () => stop('the cluster has ended', 1));

  const { port, summary } = await starting;
  process.on('SIGUSR2', () => log.info(summary(), 'summary'));
  const url = `${config.tlsCert ? 'https' : 'http'}://localhost:${port}`;
  log.info({ port, url, docs: `${url}/docs/`, api: `${url}/api/` }, 'listening');
  process.send?.('listening');
} catch (error) {
  process.stderr.write(`${sentenceFor(error)}\n`);
  process.exit(1);
}

/** One line for what the operator can mend, the whole stack for a fault of ours. */
function sentenceFor(error: unknown): string {
  return error instanceof StartError ? error.message : String((error as Error).stack ?? error);
}
