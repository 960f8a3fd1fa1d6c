import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { createPasswords } from '../auth/passwords.ts';
import { createOutboxBus } from '../bus/outbox.ts';
import { loadConfig } from '../config.ts';
import { openDatabaseForOperator } from '../database/start.ts';
import { createDialogDirectory } from '../messages/dialogs.ts';
import { MessageWriter } from '../messages/MessageWriter.ts';
import { ApiError, StartError } from '../protocol/errors.ts';
import { type AdminCommand, UsageError } from './define.ts';
import { groupCommands } from './groups.ts';
import { reportCommands } from './reports.ts';
import { userCommands } from './users.ts';

/*
 * The command line for operators: `npm run admin -- <command>`. It accesses the database directly, also while servers
 * run; its changes reach live connections within seconds. It prints JSON and exits with 1 after a refusal, with 2 after
 * a wrong command line.
 */

const commands: Readonly<Record<string, AdminCommand>> = {
  ...userCommands,
  ...groupCommands,
  ...reportCommands,
};

try {
  await run(process.argv.slice(2));
} catch (error) {
  const isExpected = [ApiError, StartError, UsageError].some((kind) => error instanceof kind);
  process.stderr.write(`${isExpected ? (error as Error).message : (error as Error).stack}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

async function run(words: readonly string[]): Promise<void> {
  if (words.length === 0 || words.includes('--help')) return print(usage());
  const name = words.slice(0, 2).join(' ');
  const command = commands[name];
  if (!command) throw new UsageError(`There is no command "${name}".\n\n${usage()}`);
  const { positionals, values } = parse(name, command, words.slice(2));
  if (command.isFinal && !values.yes)
    throw new UsageError(`This cannot be undone: ${command.summary}. Add --yes to confirm.`);

  const config = loadConfig();
  const log = pino({ level: 'warn' }, pino.destination(2));
  const db = await openDatabaseForOperator(config, log);
  const passwords = createPasswords(1, config.passwordCost, log);
  const bus = createOutboxBus(db);
  try {
    const nothing = () => {};
    const hooks = {
      batchWritten: nothing,
      outcomeUnknown: nothing,
      publish: (_: unknown, __: unknown, reply: () => void) => reply(),
    };
    const writer = new MessageWriter(db, createDialogDirectory(db), hooks, log, config.limits);
    const result = await command.run(positionals, values, { db, bus, writer, passwords, log });
    await bus.written();
    await print(result);
  } finally {
    await Promise.all([db.close(), passwords.close()]);
  }
}

/** Prints a text, the parts of a text as they arrive, or anything else as JSON. */
async function print(result: unknown): Promise<void> {
  const pieces = isInPieces(result)
    ? result
    : [typeof result === 'string' ? result : `${JSON.stringify(result, null, 2)}\n`];
  for await (const piece of pieces) if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
}

function isInPieces(result: unknown): result is AsyncIterable<string> {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result;
}

function parse(name: string, { takes, options }: AdminCommand, args: string[]) {
  try {
    const all = { ...options, yes: { type: 'boolean' } } as const;
    const parsed = parseArgs({ args, options: all, allowPositionals: true });
    if (parsed.positionals.length === takes.length) return parsed;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${usage()}`);
  }
  throw new UsageError(
    `"${name}" takes ${takes.map((one) => `<${one}>`).join(' ') || 'no arguments'}.\n\n${usage()}`,
  );
}

function usage(): string {
  const lines = Object.entries(commands).map(([name, { takes, options, isFinal, summary }]) => {
    const optional = Object.keys(options).map((option) => ` [--${option} …]`);
    const call = `${name}${takes.map((one) => ` <${one}>`).join('')}${optional.join('')}${isFinal ? ' --yes' : ''}`;
    return `  ${call}\n      ${summary}`;
  });
  return `npm run admin -- <command>\n\n${lines.join('\n')}\n\n<user> is an id, a username or an email.\n`;
}
