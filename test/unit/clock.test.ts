import { mock } from 'node:test';
import { expect } from 'chai';
import { pino } from 'pino';
import { ClockEstimate, startDatabaseClock } from '../../src/database/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { NotConnectedError } from '../../src/database/failures.ts';

describe('the estimate of the clock of the database', () => {
  it('is as exact as the fastest answer, and not degraded by slow answers', () => {
    const estimate = new ClockEstimate();
    expect(estimate.measured(1_000, 51_001, 1_004)).to.equal(0); // ahead by 49,997 to 50,001
    expect(estimate.offset).to.equal(49_999);
    estimate.measured(1_010, 51_010, 1_012); // by 49,998 to 50,000
    const { offset } = estimate;
    expect(Math.abs(offset - 49_999)).to.be.below(0.01);
    estimate.measured(1_020, 51_025, 1_420);
    expect(estimate.offset).to.be.within(offset - 0.5, offset + 0.5);
  });

  it('agrees with all answers', () => {
    const estimate = new ClockEstimate();
    estimate.measured(0, 509, 10); // by 499 to 509
    estimate.measured(10, 511, 20); // by 491 to 501
    expect(estimate.offset).to.be.within(499.9, 500.1);
  });

  it('follows a clock that drifts', () => {
    const estimate = new ClockEstimate();
    for (let time = 0; time < 3_600_000; time += 10_000) {
      const ahead = 1_000 + time * 0.0001;
      estimate.measured(time, time + 1 + ahead, time + 2);
      expect(Math.abs(estimate.offset - ahead)).to.be.below(2.1);
    }
  });

  it('uses the newest answer after the clock was set, and reports the difference', () => {
    const estimate = new ClockEstimate();
    for (const time of [0, 10, 20]) estimate.measured(time, time + 1, time + 2);
    for (const hours of [1, -3]) {
      const { offset } = estimate;
      const set = offset + hours * 3_600_000;
      expect(estimate.measured(1_000, 1_001 + set, 1_002)).to.be.closeTo(hours * 3_600_000, 2);
      expect(estimate.offset).to.be.closeTo(set, 1);
    }
  });
});

describe('the clock of the database', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));

  it('logs a warning when it differs from that of the machine, and when it was set, forwards or backwards', async () => {
    const hour = 3_600_000;
    let ahead = 2 * hour;
    const query = async () => [{ now: Date.now() + ahead }];
    const lines: [string, number][] = [];
    const write = (line: string) => {
      const { msg, seconds } = JSON.parse(line);
      lines.push([msg, Math.round(seconds / 60)]);
    };
    const clock = await startDatabaseClock(
      { query } as unknown as Database,
      pino({ level: 'warn' }, { write }),
    );
    for (const set of [2 * hour, hour, 3 * hour, 3 * hour + 100]) {
      ahead = set;
      mock.timers.tick(10_000);
      await new Promise(setImmediate);
    }
    clock.close();
    const wasSet = 'clock of the database was set; tokens and times follow it';
    expect(lines).to.deep.equal([
      ['clock of this machine differs from that of the database', -120],
      [wasSet, -60],
      [wasSet, 120],
    ]);
  });

  it('is measured again after failures, of which only a fault is logged', async () => {
    let failure: Error | undefined;
    let queries = 0;
    const query = async () => {
      queries++;
      if (failure) throw failure;
      return [{ now: performance.now() + 1_000 }];
    };
    const lines: string[] = [];
    const log = pino({ level: 'error' }, { write: (line) => lines.push(JSON.parse(line).err.message) });
    const clock = await startDatabaseClock({ query } as unknown as Database, log);
    const measured = async (error?: Error) => {
      failure = error;
      const before = queries;
      mock.timers.tick(10_000);
      await new Promise(setImmediate);
      return queries - before;
    };
    expect(await measured(new NotConnectedError(new Error('away')))).to.equal(1);
    expect(await measured(new Error('a bug'))).to.equal(1);
    expect(await measured()).to.equal(1);
    expect(lines).to.deep.equal(['a bug']);
    clock.close();
    expect(await measured()).to.equal(0);
  });
});
