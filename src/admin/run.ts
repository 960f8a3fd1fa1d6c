import type { Logger } from 'pino';
import { createPasswords } from '../auth/passwords.ts';
import { createOutboxBus } from '../bus/outbox.ts';
import type { Database } from '../database/database.ts';
import { createDialogDirectory } from '../messages/dialogs.ts';
import { MessageWriter } from '../messages/MessageWriter.ts';
import { StartError } from '../protocol/errors.ts';
import type { AdminCall } from './commandLine.ts';
import type { AdminConfig } from './define.ts';

/** Nobody waits for a push of this process: the nodes find its changes in the database. */
const HOOKS = {
  batchWritten: () => {},
  outcomeUnknown: () => {},
  publish: (_: unknown, __: unknown, reply: () => void) => reply(),
};

/** Runs a command and generates its output. Rejects with an `ApiError` for a refusal. */
export async function* runCommand(
  { command, args, values }: AdminCall,
  db: Database,
  config: AdminConfig,
  log: Logger,
): AsyncGenerator<string> {
  await assertTables(db);
  const passwords = createPasswords(1, config.passwordCost, log);
  const bus = createOutboxBus(db);
  try {
    const writer = new MessageWriter(db, createDialogDirectory(db), HOOKS, log, config.limits);
    const action = await command.load();
    const result = await action(args, values, { db, bus, writer, passwords, config, log });
    await bus.written();
    if (isInPieces(result)) yield* result;
    else yield `${JSON.stringify(result, null, 2)}\n`;
  } finally {
    await passwords.close();
  }
}

async function assertTables(db: Database): Promise<void> {
  const [found] = await db.query<{ table: string | null }>(
    `select to_regclass('users')::text as "table"`,
    [],
  );
  if (found?.table == null)
    throw new StartError(
      'The database has no tables yet. Start the server, or run: npm run migrate:start; or set DATABASE_URL or DATA_DIR to those of the server.',
    );
}

function isInPieces(result: unknown): result is AsyncIterable<string> {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result;
}
