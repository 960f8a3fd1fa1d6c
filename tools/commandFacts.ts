import type { Command } from '../src/commands/define.ts';

/**
 * Returns the source of src/client/commandFacts.ts: the commands whose facts differ from those of most. The client has
 * the names alone, because the definitions would bring the schemas with them.
 */
export function commandFactsSource(commands: Iterable<Command>): string {
  const all = [...commands];
  const list = (name: string, description: string, has: (command: Command) => boolean) => {
    // Sorted, so that names with the same beginning are together, which compresses better.
    const types = all.filter(has).map(({ type }) => `  '${type}',\n`);
    return `/** ${description} */\nexport const ${name}: readonly CommandName[] = [\n${types.sort().join('')}];\n`;
  };
  return [
    `import type { CommandName } from './protocol.ts';\n`,
    '/* Facts of the commands, written by `npm run docs` from their definitions. Do not edit. */\n',
    list('STORING', 'Take a `clientMessageId`.', (command) => command.storesMessage),
    list(
      'UNREPEATABLE',
      'Must not be sent again after a broken connection.',
      (command) => !command.repeatable,
    ),
    list('UNORDERED', 'May overtake other commands about the same chat.', (command) => !command.ordered),
  ].join('\n');
}
