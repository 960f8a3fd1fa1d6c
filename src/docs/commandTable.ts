import type { CommandFacts } from '../commands/facts.ts';

interface Row extends CommandFacts {
  readonly type: string;
  readonly summary: string;
}

/** Returns the facts of a command, as its operation has them in the AsyncAPI document. */
export function factsOf({ reads, repeatable, storesMessage, ordered, cost }: CommandFacts): CommandFacts {
  return { reads, repeatable, storesMessage, ordered, cost };
}

/** Returns an overview of all commands with their facts, in Markdown. */
export function commandTable(commands: readonly Row[]): string {
  const mark = (fact: boolean) => (fact ? 'yes' : '');
  const rows = commands.map(({ type, summary, reads, repeatable, storesMessage, ordered, cost }) =>
    [`\`${type}\``, summary, mark(reads), mark(repeatable), mark(storesMessage), mark(ordered), cost].join(
      ' | ',
    ),
  );
  return `
## Commands

Facts of each command, by which clients can decide. The operations of this document have the same in \`x-parley\`.

- **reads**: it changes nothing and notifies nobody.
- **repeatable**: it may be sent again after a broken connection. The second time changes nothing more, and is
  answered like the first.
- **stores message**: it takes a \`clientMessageId\`. Without one it is not repeatable.
- **ordered**: its effect depends on earlier commands about the same chat. If one of them has to be sent again, send
  this one after it.
- **cost**: number of commands it counts as against the rate limit.

| command | purpose | reads | repeatable | stores message | ordered | cost |
| --- | --- | --- | --- | --- | --- | --- |
${rows.map((row) => `| ${row} |`).join('\n')}
`.trim();
}
