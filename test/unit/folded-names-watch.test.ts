import { mock } from 'node:test';
import { expect } from 'chai';
import { pino } from 'pino';
import type { Database } from '../../src/database/database.ts';
import { NotConnectedError } from '../../src/database/failures.ts';
import { watchFoldedNames } from '../../src/database/foldedNames.ts';

describe('the watch of names without folded form', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));

  const lines: string[] = [];
  const log = pino({ level: 'error' }, { write: (line) => lines.push(JSON.parse(line).err.message) });

  it('goes on after failures, of which only a fault is logged', async () => {
    let failure: Error | undefined;
    let runs = 0;
    const transaction = async () => {
      runs++;
      if (failure) throw failure;
      return [{ rows: false }];
    };
    const watch = watchFoldedNames({ transaction } as unknown as Database, log);
    const runsAfter = async (error?: Error) => {
      failure = error;
      const before = runs;
      mock.timers.tick(2_000);
      await new Promise(setImmediate);
      return runs - before;
    };
    expect(await runsAfter(new NotConnectedError(new Error('away')))).to.equal(1);
    expect(await runsAfter(new Error('a bug'))).to.equal(1);
    expect(await runsAfter()).to.equal(1);
    expect(lines).to.deep.equal(['a bug']);
    await watch.close();
    expect(await runsAfter()).to.equal(0);
  });

  it('runs once at a time, and its end waits for that', async () => {
    const ends: (() => void)[] = [];
    const transaction = () =>
      new Promise((resolve) => {
        ends.push(() => resolve([{ rows: false }]));
      });
    const watch = watchFoldedNames({ transaction } as unknown as Database, log);
    for (let times = 0; times < 3; times++) mock.timers.tick(2_000);
    expect(ends).to.have.length(1);
    let isClosed = false;
    const closed = watch.close().then(() => {
      isClosed = true;
    });
    await new Promise(setImmediate);
    expect(isClosed).to.equal(false);
    ends[0]?.();
    await closed;
  });
});
