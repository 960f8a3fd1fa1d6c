import { expect } from 'chai';
import { keepRunning } from '../../src/database/keepRunning.ts';

describe('the watch of the embedded database', () => {
  /**
   * Watches a database that runs, or does not, at each check, and fails to start. Resolves to the pauses before the
   * checks and to the attempts to start it.
   */
  async function watched(checks: boolean[]): Promise<{ pauses: number[]; starts: number }> {
    const pauses: number[] = [];
    let starts = 0;
    await new Promise<void>((resolve) => {
      const cluster = {
        isRunning: async () => checks.shift() ?? true,
        start: async () => {
          starts++;
          throw new Error('no space left');
        },
        lastLogLines: async () => '',
      };
      const watch = keepRunning(cluster, 1, { error: () => {} }, async (milliseconds) => {
        pauses.push(milliseconds);
        if (checks.length === 0) void Promise.resolve().then(() => watch.end().then(resolve));
      });
    });
    return { pauses, starts };
  }

  it('checks each second, and starts nothing that runs', async () => {
    expect(await watched([true, true])).to.deep.equal({ pauses: [1_000, 1_000, 1_000], starts: 0 });
  });

  it('waits longer after each attempt to start, up to half a minute', async () => {
    const { pauses, starts } = await watched(Array(7).fill(false));
    expect(pauses).to.deep.equal([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    expect(starts).to.equal(7);
  });

  it('checks each second again once the database runs', async () => {
    const { pauses } = await watched([false, false, true, false]);
    expect(pauses).to.deep.equal([1_000, 2_000, 4_000, 1_000, 2_000]);
  });

  it('goes on after a check that fails', async () => {
    const lines: string[] = [];
    let checks = 0;
    await new Promise<void>((resolve) => {
      const cluster = {
        isRunning: async () => {
          if (++checks === 1) throw new Error('no process list');
          return true;
        },
        start: async () => {},
        lastLogLines: async () => '',
      };
      const log = { error: (_: unknown, message: string) => lines.push(message) };
      const watch = keepRunning(cluster, 1, log as never, async () => {
        if (checks === 2) void Promise.resolve().then(() => watch.end().then(resolve));
      });
    });
    expect(lines).to.deep.equal(['failed to check the embedded database']);
  });
});
