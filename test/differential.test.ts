import { expect } from 'chai';
import { WebSocket } from 'ws';
import { runSeeds } from './differential/seeds.ts';
import { type Site, startOneNode } from './differential/site.ts';
import { defineDifferentialTests } from './differential/suite.ts';
import type { Open } from './differential/world.ts';

// Until the client shows what is right, these run where they are asked for.
if (process.env.DIFFERENTIAL) {
  defineDifferentialTests({ 'one node': 12, 'two nodes': 6 }, 100);

  describe('the comparison of clients', function () {
    this.timeout(120_000);
    let site: Site;
    before(async () => {
      site = await startOneNode();
    });
    after(() => site.close());

    it('finds a client that misses a push, and tells the few steps that show it', async () => {
      const seeds = Array.from({ length: 20 }, (_, index) => index + 1);
      const error = await runSeeds(site, seeds, 40, { bound: 1_500, open: missing('editMessage') }).then(
        () => undefined,
        (error: Error) => error.message,
      );
      expect(error).to.match(/^seed \d+: .*\n {2}\w+\.chat\S+: shown "text .*", right "text /);
      expect(error)
        .to.match(/^ {2}\w+.*: edit \{/m)
        .and.match(/^Again: DIFFERENTIAL_SEED=\d+ /m);
      const [, shrunken, all] = /^(\d+) of (\d+) steps show it:$/m.exec(error ?? '') ?? [];
      expect(Number(shrunken)).to.be.within(1, 8).and.below(Number(all));
    });
  });
}

/** Makes sockets that let one kind of push get lost. */
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
