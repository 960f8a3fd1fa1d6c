import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Database } from '../database/database.ts';
import { fillFoldedNames, warnOfAmbiguousNames } from '../database/foldedNames.ts';
import { migrate } from '../database/migrations.ts';
import { startDatabase } from '../database/start.ts';

/** Milliseconds between two lines in the log while names are folded. */
const REPORT_INTERVAL = 10_000;

/**
 * Opens the database and brings it up to date. `migrating` is called every few seconds for as long as that goes on, or
 * waits for another node that does it.
 */
export async function openStorage(config: Config, log: Logger, migrating: () => void): Promise<Database> {
  const db = await startDatabase(config, log);
  try {
    const migrations = await migrate(db, { log, alive: migrating });
    if (migrations.length > 0) log.info({ migrations }, 'database migrated');
    await fillFoldedNames(db, reportFolding(log, migrating));
    await warnOfAmbiguousNames(db, log);
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}

/** Logs now and then how many names a start has folded, which after an upgrade may be all. */
function reportFolding(log: Logger, migrating: () => void): (rows: number) => void {
  let reportedAt = performance.now();
  return (rows) => {
    migrating();
    if (performance.now() - reportedAt < REPORT_INTERVAL) return;
    reportedAt = performance.now();
    log.info({ rows }, 'folding names');
  };
}
