import type { Command, CommandDescription } from '../src/commands/define.ts';

/** A list of the commands that have a fact. */
interface List {
  readonly name: string;
  readonly description: string;
  readonly has: (command: CommandDescription) => boolean;
}

const UNREPEATABLE: List = {
  name: 'UNREPEATABLE',
  description: 'Must not be sent again after a broken connection.',
  has: ({ repeatable }) => !repeatable,
};

/**
 * Returns the source of src/client/commandFacts.ts: the commands whose facts differ from those of most. The client has
 * the names alone, because the definitions would bring the schemas with them.
 */
export const commandFactsSource = (commands: Iterable<Command>): string =>
  sourceOf(commands, 'CommandName', [
    {
      name: 'STORING',
      description: 'Take a `clientMessageId`.',
      has: ({ storesMessage }) => storesMessage,
    },
    UNREPEATABLE,
    {
      name: 'UNORDERED',
      description: 'May overtake other commands about the same chat.',
      has: ({ ordered }) => !ordered,
    },
  ]);

/** Returns the source of src/client/service/commandFacts.ts: the same of service commands, which store no messages. */
export const serviceFactsSource = (commands: Iterable<CommandDescription>): string =>
  sourceOf(commands, 'AnyServiceCommandName', [
    UNREPEATABLE,
    {
      name: 'READING',
      description: 'Change nothing, and may overtake other commands.',
      has: ({ reads }) => reads,
    },
  ]);

/** `typeName` is the type of the names of the commands. */
function sourceOf(commands: Iterable<CommandDescription>, typeName: string, lists: readonly List[]): string {
  const all = [...commands];
  return [
    `import type { ${typeName} } from './protocol.ts';\n`,
    '/* Facts of the commands, written by `npm run docs` from their definitions. Do not edit. */\n',
    ...lists.map(({ name, description, has }) => {
      // Sorted, so that names with the same beginning are together, which compresses better.
      const types = all.filter(has).map(({ type }) => `  '${type}',\n`);
      const entries = types.sort().join('');
      return `/** ${description} */\nexport const ${name}: readonly ${typeName}[] = [\n${entries}];\n`;
    }),
  ].join('\n');
}
