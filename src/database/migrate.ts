import { pino } from 'pino';
import { loadConfig } from '../config.ts';
import { migrate, migrationStatus, undoMigration } from './migrations.ts';
import { startDatabase } from './start.ts';

/* The command line of the migrations: `npm run migrate:start`, `migrate:undo`, `migrate:status`. */

const actions = {
  start: async () => report('ran', await migrate(database)),
  undo: async () => report('took back', await undoMigration(database)),
  status: async () => {
    const { executed, pending } = await migrationStatus(database);
    report('executed', executed);
    report('pending', pending);
  },
};

const log = pino({ level: 'warn' }, pino.destination(2));
const database = await startDatabase(loadConfig(), log);
try {
  await actions[process.argv[2] as keyof typeof actions]();
} finally {
  await database.close();
}

function report(what: string, names: string[]): void {
  process.stdout.write(`${what}: ${names.join(', ') || 'none'}\n`);
}
