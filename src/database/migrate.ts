import { pino } from 'pino';
import { loadConfig } from '../config.ts';
import { StartError } from '../protocol/errors.ts';
import type { Database } from './database.ts';
import { migrate, migrationStatus, undoMigration } from './migrations.ts';
import { openDatabaseForOperator } from './start.ts';

/* The command line of the migrations: `npm run migrate:start`, `migrate:undo`, `migrate:status`. */

const actions: Readonly<Record<string, (database: Database) => Promise<void>>> = {
  start: async (database) => report('ran', await migrate(database, { log: progress })),
  undo: async (database) => report('undid', await undoMigration(database, { log: progress })),
  async status(database) {
    const { executed, pending, underWay, schema } = await migrationStatus(database);
    report('executed', executed);
    report('pending', pending);
    if (underWay) report('under way', [underWay]);
    if (schema)
      report('schema', [`version ${schema.version}, for servers that know ${schema.compatVersion} or later`]);
  },
};

const log = pino({ level: 'warn' }, pino.destination(2));
/** Logs the progress. */
const progress = log.child({}, { level: 'info' });
try {
  await run(process.argv[2] ?? '');
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

async function run(name: string): Promise<void> {
  const action = actions[name];
  if (!action) throw new StartError(`Unknown action "${name}"; expected ${Object.keys(actions).join(', ')}`);
  const database = await openDatabaseForOperator(loadConfig(), log);
  try {
    await action(database);
  } finally {
    await database.close();
  }
}

function report(label: string, names: string[]): void {
  process.stdout.write(`${label}: ${names.join(', ') || 'none'}\n`);
}
