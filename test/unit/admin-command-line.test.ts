import { expect } from 'chai';
import { readCommandLine, usage } from '../../src/admin/commandLine.ts';
import { UsageError } from '../../src/admin/define.ts';

describe('the command line of operators', () => {
  it('reads a command with its arguments and options', () => {
    const { args, values, command } = readCommandLine(['user', 'erase', 'Ada', '--yes']);
    expect(args).to.deep.equal(['Ada']);
    expect(values).to.deep.include({ yes: true });
    expect(command.isFinal).to.equal(true);
    const list = readCommandLine(['user', 'list', '--search', 'a', '--limit=5', '--disabled']);
    expect(list.values).to.deep.include({ search: 'a', limit: '5', disabled: true });
  });

  it('refuses words that are no command, with the usage of what was meant', () => {
    for (const [words, message, meant] of [
      [['user', 'vanish'], 'There is no command "user vanish".', 'user'],
      [['user'], 'There is no command "user".', 'user'],
      [['vanish', 'user'], 'There is no command "vanish user".', ''],
      [['user', 'show'], '"user show" takes <user>.', 'user show'],
      [['user', 'show', 'Ada', 'Bob'], '"user show" takes <user>.', 'user show'],
      [['report', 'list', '1'], '"report list" takes no arguments.', 'report list'],
      [['user', 'list', '--newest'], "Unknown option '--newest'", 'user list'],
      [['user', 'show', 'Ada', '--limit', '1'], "Unknown option '--limit'", 'user show'],
    ] as const)
      expect(() => readCommandLine(words), words.join(' '))
        .to.throw(UsageError, message)
        .with.property('message')
        .that.satisfies((text: string) => text.endsWith(`\n\n${usage(meant)}`));
  });

  it('prints the usage of one command, of a group of commands, or of all', () => {
    const described = (beginning?: string) =>
      usage(beginning)
        .match(/^ {2}\w+ \S+/gm)
        ?.map((name) => name.trim());
    expect(described('user show')).to.deep.equal(['user show']);
    expect(described('group')).to.deep.equal(['group list', 'group conflicts', 'group audit']);
    expect(described()).to.include.members(['user list', 'group list', 'report list', 'database move']);
    expect(described('use')).to.deep.equal(described());
    expect(usage('group')).not.to.include('<user>');
  });

  it('wants what cannot be undone confirmed, and nothing else', () => {
    for (const action of ['delete', 'erase'])
      expect(() => readCommandLine(['user', action, 'Ada']), action).to.throw(
        UsageError,
        /^This cannot be undone: .* Add --yes to confirm\.$/,
      );
    for (const action of ['disable', 'enable', 'end-sessions', 'reset-password', 'export'])
      expect(readCommandLine(['user', action, 'Ada']).args, action).to.deep.equal(['Ada']);
  });

  it('describes every command and its options', () => {
    for (const line of [
      'user list [--search …] [--disabled] [--limit …]',
      'user erase <user> --yes',
      'group audit <groupId> [--limit …]',
      'report list [--limit …]',
    ])
      expect(usage()).to.include(`  ${line}\n`);
  });
});
