import { parseArgs } from 'node:util';
import { commands } from './commands.ts';
import { type AdminCommand, UsageError, type Values } from './define.ts';

/** A command with its arguments and options. */
export interface AdminCall {
  readonly command: AdminCommand;
  readonly args: readonly string[];
  readonly values: Values;
}

/**
 * Reads the words of a command line. Throws a {@link UsageError} if they are not those of a command, with the usage of
 * the command that was meant, or else of those that begin with the same word.
 */
export function readCommandLine(words: readonly string[]): AdminCall {
  const name = words.slice(0, 2).join(' ');
  const command = commands[name];
  if (!command) throw new UsageError(`There is no command "${name}".\n\n${usage(words[0])}`);
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
    throw new UsageError(`${(error as Error).message}\n\n${usage(name)}`);
  }
  throw new UsageError(
    `"${name}" takes ${takes.map((one) => `<${one}>`).join(' ') || 'no arguments'}.\n\n${usage(name)}`,
  );
}

/** Returns an overview of the commands whose names begin with these words, or of all if there are none. */
export function usage(beginning = ''): string {
  const all = Object.entries(commands);
  const meant = all.filter(([name]) => `${name} `.startsWith(`${beginning} `));
  const lines = (meant.length > 0 ? meant : all).map(([name, command]) => usageOf(name, command));
  const user = lines.some((line) => line.includes('<user>'))
    ? '\n<user> is an id, a username or an email.\n'
    : '';
  return `npm run admin -- <command>\n\n${lines.join('\n')}\n${user}`;
}

function usageOf(name: string, { takes, options, isFinal, summary }: AdminCommand): string {
  const optional = Object.entries(options).map(([option, { type }]) =>
    type === 'string' ? ` [--${option} …]` : ` [--${option}]`,
  );
  const call = `${name}${takes.map((one) => ` <${one}>`).join('')}${optional.join('')}${isFinal ? ' --yes' : ''}`;
  return `  ${call}\n      ${summary}`;
}
