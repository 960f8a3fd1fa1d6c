import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { prepareDataDir } from '../dataDir.ts';
import { StartError } from '../protocol/errors.ts';
import { type Database, openDatabase } from './database.ts';
import { findEmbeddedPostgres, startEmbeddedPostgres } from './embedded.ts';
import { isUnavailable } from './failures.ts';
import { reasonOf } from './outages.ts';
import { checkRequirements } from './requirements.ts';

/** How long a start waits for a database that is not there yet, in milliseconds. */
const PATIENCE = 5_000;

/**
 * Opens the configured database, or starts the embedded one, and waits until it can be used. `close` stops what
 * was started. Throws a {@link StartError} when it is still away after five seconds, or of a kind that never works.
 */
export async function startDatabase(config: Config, log: Logger): Promise<Database> {
  const embedded = config.databaseUrl ? undefined : await startEmbeddedPostgres(config.dataDir, log);
  const database = openDatabase(
    config.databaseUrl ?? (embedded?.url as string),
    config.databasePoolSize,
    log,
  );
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

/** Does the same for a command line: beside a server that is running, it uses the embedded database of that server. */
export async function openDatabaseForOperator(config: Config, log: Logger): Promise<Database> {
  await prepareDataDir(config);
  const databaseUrl = config.databaseUrl ?? (await findEmbeddedPostgres(config.dataDir));
  return startDatabase({ ...config, databaseUrl }, log);
}

/** Waits for a database that can be used. Throws a {@link StartError} at once when it never can. */
async function untilItAnswers(database: Database, log: Logger): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    const reason = await findObstacle(database);
    if (reason === undefined) return;
    if (performance.now() > deadline) throw new StartError(reason);
    log.warn({ reason }, 'waiting for the database');
    await delay(1000);
  }
}

/** Why the database cannot be used now, in a sentence; undefined when it can. */
async function findObstacle(database: Database): Promise<string | undefined> {
  try {
    return await checkRequirements(database);
  } catch (error) {
    if (error instanceof StartError) throw error;
    const sentence = `The database does not answer: ${reasonOf(error)}. Is DATABASE_URL right, and PostgreSQL running?`;
    if (!isUnavailable(error)) throw new StartError(sentence);
    return sentence;
  }
}
