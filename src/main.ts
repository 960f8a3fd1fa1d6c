import { randomUUID } from 'node:crypto';
import { loadConfig, misspeltSettings } from './config.ts';
import { createGuard } from './net/guard.ts';
import { openFilesWarning } from './net/openFilesWarning.ts';
import { createFaults } from './observability/faults.ts';
import { createLog, prettyOutput } from './observability/log.ts';
import { StartError } from './protocol/errors.ts';
import { startServer } from './server.ts';

/* Starts the server: configuration, warnings, signals; nothing else. */

/** A stop that takes longer than this, in milliseconds, and than what closing sockets may take, is cut short. */
const STOP_DEADLINE = 9_500;

try {
  const config = loadConfig();
  const faults = config.sentryDsn === undefined ? undefined : await createFaults(config.sentryDsn);
  const isPretty = config.logFormat === 'pretty';
  const stream = isPretty ? await prettyOutput() : undefined;
  const log = createLog({ level: config.logLevel, stream, faults });
  for (const warning of [...misspeltSettings(config), await openFilesWarning(config.limits)])
    if (warning !== undefined) log.warn(warning);
  const starting = startServer(config, log, () => notifyCluster('migrating'));

  let stopping = false;
  const stop = async (reason: string, code: number) => {
    if (stopping) return;
    stopping = true;
    let exitCode = code;
    log.info({ reason }, 'stopping');
    setTimeout(() => process.exit(1), STOP_DEADLINE + config.drainSeconds * 1000).unref();
    try {
      const server = await starting; // a stop during the start takes effect when the server listens
      await server.close();
      log.info('stopped');
    } catch (error) {
      log.error({ err: error }, 'failed to stop');
      exitCode = 1;
    }
    await faults?.flush();
    process.exit(exitCode);
  };
  process.on('SIGTERM', (signal) => stop(signal, 0));
  process.on('SIGINT', (signal) => stop(signal, 0));
  // Both are bugs. A rejection that nobody handles ends one asynchronous function: the server goes on. An exception may
  // leave any code in the middle, that of Node and libraries, too: the server stops in order.
  process.on('unhandledRejection', (error) =>
    log.error({ err: error, requestId: randomUUID() }, 'unhandledRejection'),
  );
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaughtException');
    stop('uncaughtException', 1);
  });

  // A worker does not run without the process that starts and stops it.
  process.on('disconnect', () => stop('the cluster has ended', 1));

  const { port, summary } = await starting;
  process.on(
    'SIGUSR2',
    createGuard(log)('summary', () => log.info(summary(), 'summary')),
  );
  const url = `${config.tlsCert ? 'https' : 'http'}://localhost:${port}`;
  const places = { docs: `${url}/docs/`, api: `${url}/api/`, metrics: `${url}/metrics` };
  if (isPretty) log.info(`Open ${url} in a browser. Documents: ${places.docs}, metrics: ${places.metrics}`);
  else log.info({ port, url, ...places }, 'listening');
  notifyCluster('listening');
} catch (error) {
  process.stderr.write(`${textOf(error)}\n`);
  process.exit(1);
}

/** Notifies the cluster of this worker's state; where the cluster has ended, `disconnect` is emitted. */
function notifyCluster(state: 'migrating' | 'listening'): void {
  process.send?.(state, undefined, undefined, () => {});
}

/** Returns one line for an error that the operator can mend, and the whole stack for a bug. */
function textOf(error: unknown): string {
  return error instanceof StartError ? error.message : String((error as Error).stack ?? error);
}
