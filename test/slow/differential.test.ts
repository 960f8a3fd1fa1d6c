import { expect } from 'chai';
import { WebSocket } from 'ws';
import { runSteps } from '../client/differential/seeds.ts';
import { type Site, startOneNode } from '../client/differential/site.ts';
import { lineOf, type Step, stepsOf } from '../client/differential/steps.ts';
import { defineDifferentialTests } from '../client/differential/suite.ts';
import type { Name, Open } from '../client/differential/world.ts';

defineDifferentialTests({ 'one node': 50, 'two nodes': 50 }, 120);

describe('the comparison of clients', function () {
  this.timeout(120_000);
  let site: Site;
  before(async () => {
    site = await startOneNode();
  });
  after(() => site.close());

  it('finds a client that misses a push, and reports the few steps that reproduce it', async () => {
    const others = stepsOf(1, 100).filter(({ kind }) => HARMLESS.has(kind));
    const steps = [...others.slice(0, 2), open, ...others.slice(2, 4), send, edit, ...others.slice(4, 6)];
    const options = { bound: 1_000, open: missing('editMessage'), shrinking: 60_000 };
    const error = await runSteps(site, steps, options).then(
      () => undefined,
      (error: Error) => error.message,
    );
    expect(error).to.match(/^ {2}Bob\.chat\.group 1\.messages\.1\.content: shown "text 1", right "text 2"$/m);
    for (const step of [open, send, edit]) expect(error).to.include(`\n  ${lineOf(step)}\n`);
    const [, shrunken] = /^(\d+) of \d+ steps show it:$/m.exec(error ?? '') ?? [];
    expect(Number(shrunken)).to.be.within(3, 5);
  });
});

const by = (who: Name, kind: string, params: object): Step => ({
  ...{ who, device: 'second', kind, params, waits: true },
});
const open = by('Bob', 'open', { chat: 'group 1' });
const send = by('Ada', 'send', { chat: 'group 1', text: 1, mentions: [], options: {} });
const edit = by('Ada', 'edit', { chat: 'group 1', back: 0, text: 2, mentions: [], byAuthor: true });

/** Kinds of steps that change neither a message nor a connection. */
const HARMLESS = new Set(['mute', 'pinChat', 'archiveChat', 'watch', 'updateProfile', 'block', 'unblock']);

/** Creates sockets that drop one type of push. */
function missing(type: string): Open {
  return (url, token) => {
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    const emit = socket.emit.bind(socket);
    socket.emit = (name: string | symbol, ...args: unknown[]) => {
      const frame = name === 'message' ? JSON.parse(String(args[0])) : {};
      return frame.type === type && frame.id === undefined ? true : emit(name, ...args);
    };
    return socket;
  };
}
