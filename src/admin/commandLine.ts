import { parseArgs } from 'node:util';
import { type AdminCommand, UsageError, type Values } from './define.ts';
import { groupCommands } from './groups.ts';
import { reportCommands } from './reports.ts';
import { userCommands } from './users.ts';

const commands: Readonly<Record<string, AdminCommand>> = {
  ...userCommands,
  ...groupCommands,
  ...reportCommands,
};

/** A command with its arguments and options. */
export interface AdminCall {
  readonly command: AdminCommand;
  readonly args: readonly string[];
  readonly values: Values;
}

/** Reads the words of a command line. Throws a {@link UsageError} if they are not those of a command. */
export function readCommandLine(words: readonly string[]): AdminCall {
  const name = words.slice(0, 2).join(' ');
  const command = commands[name];
  if (!command) throw new UsageError(`There is no command "${name}".\n\n${usage()}`);
  const { positionals, values } = parse(name, command, words.slice(2));
  if (command.isFinal && !values.yes)
    throw new UsageError(`This cannot be undone: ${command.summary}. Add --yes to confirm.`);
  return { command, args: positionals, values };
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

/** Returns an overview of all commands. */
export function usage(): string {
  const lines = Object.entries(commands).map(([name, { takes, options, isFinal, summary }]) => {
    const optional = Object.keys(options).map((option) => ` [--${option} …]`);
    const call = `${name}${takes.map((one) => ` <${one}>`).join('')}${optional.join('')}${isFinal ? ' --yes' : ''}`;
    return `  ${call}\n      ${summary}`;
  });
  return `npm run admin -- <command>\n\n${lines.join('\n')}\n\n<user> is an id, a username or an email.\n`;
}
