import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { Type } from 'typebox';
import { defineCommand, defineLocal, defineRead, defineSend } from '../../src/commands/define.ts';
import { commands, registry } from '../../src/commands/registry.ts';
import { serviceRegistry } from '../../src/commands/service/registry.ts';
import type { UserId } from '../../src/ids.ts';
import { commandFactsSource, serviceFactsSource } from '../../tools/commandFacts.ts';
import { id } from '../support/ids.ts';

const typesOf = (some: readonly { readonly type: string }[]) => some.map(({ type }) => type);

describe('the facts of a command', () => {
  it('say that it stores a message exactly if it takes a clientMessageId', () => {
    const taking = commands.filter(({ params }) => 'clientMessageId' in params.properties);
    expect(typesOf(taking)).to.deep.equal(typesOf(commands.filter(({ storesMessage }) => storesMessage)));
  });

  it('have no read that pushes, is ordered or must not be repeated', () => {
    for (const { type, push, ordered, repeatable } of commands.filter(({ reads }) => reads))
      expect({ push, ordered, repeatable }, type).to.deep.equal({
        push: undefined,
        ordered: false,
        repeatable: true,
      });
  });

  it('have a cost of one command or more', () => {
    for (const { type, cost } of commands) expect(Number.isInteger(cost) && cost > 0, type).to.equal(true);
  });

  it('are in the client as `npm run docs` writes them', async () => {
    const source = await readFile('src/client/commandFacts.ts', 'utf8');
    expect(source).to.equal(commandFactsSource(registry.values()));
    const ofServices = await readFile('src/client/service/commandFacts.ts', 'utf8');
    expect(ofServices).to.equal(serviceFactsSource(serviceRegistry.values()));
  });

  for (const document of ['docs/client.md', 'docs/protocol.md'])
    it(`are in ${document} as far as a command must not be sent again`, async () => {
      const lists = (await readFile(document, 'utf8')).matchAll(/`\w+`(?:(?:,|,? and)\s+`\w+`)+/g);
      const named = [...lists].map(([list]) => list.match(/\w+(?=`)/g)?.sort());
      expect(named).to.deep.include(typesOf(commands.filter(({ repeatable }) => !repeatable)).sort());
    });

  it('are stated by every definition, and do not contradict each other, or it does not compile', () => {
    const change = { type: 'change', summary: '', params: Type.Object({}), result: Type.Object({}) } as const;
    const whole = { ...change, errors: [], handle: async () => ({}) };
    const send = { ...whole, params: Type.Object({ clientMessageId: Type.Optional(Type.String()) }) };
    const draft = () => ({
      to: { receiverId: id<UserId>(1) },
      content: '',
      clientMessageId: undefined,
      extras: undefined,
    });
    const stored = { repeatable: true, storesMessage: true, ordered: true, cost: 1 } as const;
    const plain = { repeatable: true, storesMessage: false, ordered: true, cost: 1 } as const;

    defineCommand({ ...whole, ...plain });
    defineCommand({ ...send, ...stored });
    // @ts-expect-error: it states nothing
    defineCommand(whole);
    // @ts-expect-error: it has no cost
    defineCommand({ ...whole, ...plain, cost: undefined });
    // @ts-expect-error: it takes no clientMessageId
    defineCommand({ ...whole, ...stored });
    // @ts-expect-error: messages are ordered
    defineCommand({ ...send, ...stored, ordered: false });
    // @ts-expect-error: messages are stored once
    defineCommand({ ...send, ...stored, repeatable: false });
    // @ts-expect-error: a read is defined by defineRead
    defineCommand({ ...whole, ...plain, reads: true });

    defineRead({ ...whole, cost: 1 });
    // @ts-expect-error: it has no cost
    defineRead(whole);
    // @ts-expect-error: a read stores nothing
    defineRead({ ...whole, cost: 1, storesMessage: true });

    defineSend({ ...change, params: send.params, errors: [], draft, cost: 1 });
    // @ts-expect-error: it takes no clientMessageId
    defineSend({ ...change, errors: [], draft, cost: 1 });

    defineLocal({ ...whole, ...plain, reads: false });
    // @ts-expect-error: it does not say that it reads
    defineLocal({ ...whole, ...plain });
    // @ts-expect-error: a read waits for nobody
    defineLocal({ ...whole, ...plain, reads: true });
  });
});
