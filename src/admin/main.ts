import { once } from 'node:events';
import { pino } from 'pino';
import { loadConfig } from '../config.ts';
import { openDatabaseForOperator } from '../database/start.ts';
import { ApiError, StartError } from '../protocol/errors.ts';
import { readCommandLine, usage } from './commandLine.ts';
import { UsageError } from './define.ts';
import { runCommand } from './run.ts';

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
  if (words.length === 0 || words.includes('--help')) return print([usage()]);
  const call = readCommandLine(words);
  const config = loadConfig();
  const log = pino({ level: 'warn' }, pino.destination(2));
  const db = await openDatabaseForOperator(config, log);
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
