import { expect } from 'chai';
import { WebSocket } from 'ws';
import { runSteps } from './differential/seeds.ts';
import { type Site, startOneNode } from './differential/site.ts';
import { lineOf, QUIET, type Step, stepsOf } from './differential/steps.ts';
import { defineDifferentialTests } from './differential/suite.ts';
import type { Name, Open } from './differential/world.ts';

defineDifferentialTests({ 'one node': 8, 'two nodes': 8 }, 120);

describe('the comparison of clients', function () {
  this.timeout(300_000);
  let site: Site;
  before(async () => {
    site = await startOneNode();
  });
  after(() => site.close());

  it('finds a client that misses a push, and reports the few steps that reproduce it', async () => {
    const others = stepsOf(1, 100).filter(({ kind }) => HARMLESS.has(kind));
    const [before, between, after] = [others.slice(0, 2), others.slice(2, 4), others.slice(4, 6)];
    const steps = [...before, watch, quiet, ...between, hide, ...after];
    const options = { bound: 1_000, open: missing('subscribePresence'), shrinking: 60_000 };
    const error = await runSteps(site, steps, options).then(
      () => undefined,
      (error: Error) => error.message,
    );
    expect(error).to.match(/^ {2}Ada\.presence\.\d+\.online: shown true, right false$/m);
    for (const step of [watch, hide]) expect(error).to.include(`\n  ${lineOf(step)}\n`);
    const [, shrunken] = /^(\d+) of \d+ steps show it:$/m.exec(error ?? '') ?? [];
    expect(Number(shrunken)).to.be.within(2, 4);
  });
});

const by = (who: Name, kind: string, params: object): Step => ({
  ...{ who, device: 'second', kind, params, waits: true },
});
/* A presence is read once for each connection, and not again because of another push. */
const watch = by('Ada', 'watch', { user: 'Bob' });
const quiet = by('Ada', QUIET, {});
const hide = by('Bob', 'setPresence', { invisible: true });

/** Kinds of steps that change neither a message nor a presence nor a connection. */
const HARMLESS = new Set(['mute', 'pinChat', 'archiveChat', 'updateProfile']);

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
