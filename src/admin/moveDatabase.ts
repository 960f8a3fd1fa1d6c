import { join } from 'node:path';
import type { Database } from '../database/database.ts';
import { moveDatabase } from '../database/move.ts';
import { startDatabase } from '../database/start.ts';
import { problemOfDatabaseUrl } from '../databaseUrl.ts';
import { secretFile } from '../dataDir.ts';
import { type Action, type AdminConfig, UsageError } from './define.ts';

export const moveToPostgres: Action = async ([url = ''], _, { db, config, log }) => {
  const problem = problemOfDatabaseUrl(url);
  if (problem)
    throw new UsageError(`<url> ${problem}; expected a URL like postgres://user:password@host:5432/database`);
  const target = await startDatabase({ ...config, databaseUrl: url }, log);
  return lines(db, target, config);
};

async function* lines(source: Database, target: Database, config: AdminConfig): AsyncGenerator<string> {
  try {
    for await (const { table, rows } of moveDatabase(source, target)) yield `${table}: ${rows} rows\n`;
  } finally {
    await target.close();
  }
  yield nextSteps(config);
}

function nextSteps({ dataDir, jwtSecret }: AdminConfig): string {
  const secret =
    jwtSecret.length > 0
      ? 'Keep JWT_SECRET.'
      : `Set JWT_SECRET to the content of ${secretFile({ dataDir })}, or keep this file.`;
  return `\nEverything was copied. Set DATABASE_URL to the URL of this command, and start the server. ${secret} Delete ${join(dataDir, 'postgres')} when you no longer need the old database.\n`;
}
