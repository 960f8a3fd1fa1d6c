import { once } from 'node:events';
import { pino } from 'pino';
import { ApiError, StartError } from '../protocol/errors.ts';
import { type AdminCall, readCommandLine, usage } from './commandLine.ts';
import { UsageError } from './define.ts';

/*
 * The command line for operators: `npm run admin -- <command>`. It accesses the database directly, also while servers
 * run; its changes reach live connections within seconds. It prints JSON and exits with 1 after a refusal, with 2 after
 * a wrong command line.
 */

try {
  await run(process.argv.slice(2));
} catch (error) {
  const isExpected = [ApiError, StartError, UsageError].some((kind) => error instanceof kind);
  process.stderr.write(`${isExpected ? (error as Error).message : (error as Error).stack}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

async function run(words: readonly string[]): Promise<void> {
  const isQuestion = words.length === 0 || words.includes('--help');
  await (isQuestion
    ? print([usage(words.filter((word) => word !== '--help').join(' '))])
    : perform(readCommandLine(words)));
}

/** Loads the rest of the program, which takes longer than to print the usage. */
async function perform(call: AdminCall): Promise<void> {
  const [{ loadConfig }, { assertEmbedded, openDatabaseForOperator, openStoppedDatabase }, { runCommand }] =
    await Promise.all([import('../config.ts'), import('../database/start.ts'), import('./run.ts')]);
  const config = loadConfig();
  const log = pino({ level: 'warn' }, pino.destination(2));
  if (call.command.isOnEmbedded || config.databaseUrl === undefined) await assertEmbedded(config);
  const open = call.command.isOnEmbedded ? openStoppedDatabase : openDatabaseForOperator;
  const db = await open(config, log);
  try {
    await print(runCommand(call, db, config, log));
  } finally {
    await db.close();
  }
}

/** Prints the parts of a text as they arrive. */
async function print(pieces: AsyncIterable<string> | Iterable<string>): Promise<void> {
  for await (const piece of pieces) if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
}
