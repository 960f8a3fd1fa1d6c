import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { prepareDataDir } from '../dataDir.ts';
import { StartError } from '../protocol/errors.ts';
import { type Database, openDatabase } from './database.ts';
import { findEmbeddedPostgres, hasEmbeddedPostgres, startEmbeddedPostgres } from './embedded.ts';
import { isUnavailable } from './failures.ts';
import { reasonOf } from './outages.ts';
import { checkRequirements } from './requirements.ts';

/** The part of the configuration that concerns the database. */
export type DatabaseConfig = Pick<Config, 'databaseUrl' | 'databasePoolSize' | 'dataDir'>;

/** Milliseconds for which a start waits for the database. */
const TIMEOUT = 5_000;

/**
 * Opens the configured database, or starts the embedded one, and waits until it can be used. `close` stops the embedded
 * one. Throws a {@link StartError} if the database is still unavailable after five seconds or can never be used.
 */
export async function startDatabase(config: DatabaseConfig, log: Logger): Promise<Database> {
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

/** Opens the database for a command line. If a server with an embedded database is running, it uses that database. */
export async function openDatabaseForOperator(config: Config, log: Logger): Promise<Database> {
  await prepareDataDir(config);
  const databaseUrl = config.databaseUrl ?? (await findEmbeddedPostgres(config.dataDir));
  return startDatabase({ ...config, databaseUrl }, log);
}

/** Opens the embedded database. Throws a {@link StartError} if a server uses it. */
export function openStoppedDatabase(config: Config, log: Logger): Promise<Database> {
  return startDatabase({ ...config, databaseUrl: undefined }, log);
}

/** Throws a {@link StartError} if the data folder contains no embedded database, which an operator does not create. */
export async function assertEmbedded({ dataDir }: Pick<Config, 'dataDir'>): Promise<void> {
  if (await hasEmbeddedPostgres(dataDir)) return;
  throw new StartError(
    `DATA_DIR is "${dataDir}", which contains no embedded database; expected that of a server without DATABASE_URL`,
  );
}

/** Waits until the database can be used. Throws a {@link StartError} at once if it never can. */
async function untilItAnswers(database: Database, log: Logger): Promise<void> {
  const deadline = performance.now() + TIMEOUT;
  for (;;) {
    const reason = await findProblem(database);
    if (reason === undefined) return;
    if (performance.now() > deadline) throw new StartError(reason);
    log.warn({ reason }, 'waiting for the database');
    await delay(1000);
  }
}

/** Returns a sentence with the reason why the database cannot be used now, or undefined if it can. */
async function findProblem(database: Database): Promise<string | undefined> {
  try {
    return await checkRequirements(database);
  } catch (error) {
    if (error instanceof StartError) throw error;
    const sentence = `The database does not answer: ${reasonOf(error)}. Is DATABASE_URL right, and PostgreSQL running?`;
    if (!isUnavailable(error)) throw new StartError(sentence);
    return sentence;
  }
}
