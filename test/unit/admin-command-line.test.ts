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

  it('refuses words that are no command, with the usage', () => {
    for (const [words, message] of [
      [['user', 'vanish'], 'There is no command "user vanish".'],
      [['user'], 'There is no command "user".'],
      [['user', 'show'], '"user show" takes <user>.'],
      [['user', 'show', 'Ada', 'Bob'], '"user show" takes <user>.'],
      [['report', 'list', '1'], '"report list" takes no arguments.'],
      [['user', 'list', '--newest'], "Unknown option '--newest'"],
      [['user', 'show', 'Ada', '--limit', '1'], "Unknown option '--limit'"],
    ] as const)
      expect(() => readCommandLine(words), words.join(' '))
        .to.throw(UsageError, message)
        .with.property('message')
        .that.includes(usage());
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
      'user list [--search …] [--disabled …] [--limit …]',
      'user erase <user> --yes',
      'group audit <groupId> [--limit …]',
      'report list [--limit …]',
    ])
      expect(usage()).to.include(`  ${line}\n`);
  });
});
