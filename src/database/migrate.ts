import { pino } from 'pino';
import { loadConfig } from '../config.ts';
import { StartError } from '../errors.ts';
import { migrate, migrationStatus, undoMigration } from './migrations.ts';
import { startDatabase } from './start.ts';

/* The command line of the migrations: `npm run migrate:start`, `migrate:undo`, `migrate:status`. */

const actions = {
  start: async () => report('ran', await migrate(database, { log })),
  undo: async () => report('took back', await undoMigration(database)),
  status: async () => {
    const { executed, pending, schema } = await migrationStatus(database);
    report('executed', executed);
    report('pending', pending);
    if (schema)
      report('schema', [`version ${schema.version}, for servers that know ${schema.compatVersion} or later`]);
  },
};

const log = pino({ level: 'warn' }, pino.destination(2));
const database = await startDatabase(loadConfig(), log);
try {
  await actions[process.argv[2] as keyof typeof actions]();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  await database.close();
}

function report(what: string, names: string[]): void {
  process.stdout.write(`${what}: ${names.join(', ') || 'none'}\n`);
}
