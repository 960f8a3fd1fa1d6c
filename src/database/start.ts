import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { StartError } from '../errors.ts';
import { type Database, openDatabase } from './database.ts';
import { startEmbeddedPostgres } from './embedded.ts';
import { isUnavailable } from './failures.ts';

/** How long a start waits for a database that is not there yet, in milliseconds. */
const PATIENCE = 5_000;

/**
 * Opens the configured database, or starts the embedded one, and waits until it answers. `close` stops what
 * was started. Throws a {@link StartError} when it is still away after five seconds.
 */
export async function startDatabase(config: Config, log: Logger): Promise<Database> {
  const embedded = config.databaseUrl ? undefined : await startEmbeddedPostgres(config.dataDir, log);
  const database = openDatabase(config.databaseUrl ?? (embedded?.url as string), config.databasePoolSize);
  const close = async () => {
    await database.close();
    await embedded?.stop();
  };
  try {
    await untilItAnswers(database, log);
  } catch (error) {
    await close();
    throw error;
  }
  return { ...database, close };
}

async function untilItAnswers(database: Database, log: Logger): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    try {
      await database.sequelize.authenticate();
      return;
    } catch (error) {
      const reason = (error as Error).message;
      if (!isUnavailable(error) || Date.now() > deadline)
        throw new StartError(
          `The database does not answer: ${reason}. Is DATABASE_URL right, and PostgreSQL running?`,
        );
      log.warn({ reason }, 'waiting for the database');
      await delay(1000);
    }
  }
}
