import { mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { ParleyError } from '../../src/client/errors.ts';
import { Refresher } from '../../src/client/view/Refresher.ts';
import { Timers } from '../../src/client/view/Timers.ts';

describe('the refresher', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));

  it('runs one read at a time, and another after growing pauses when one was requested during it', async () => {
    const reads: string[] = [];
    let isRequested = true;
    const refresher = new Refresher(async (key) => {
      reads.push(key);
      await turn();
      if (isRequested) for (let n = 0; n < 3; n++) refresher.refresh(key);
    }, new Timers());
    refresher.refresh('user:2');
    refresher.refresh('user:2');
    refresher.refresh('user:3');
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(reads).to.deep.equal(['user:2', 'user:3']);
    for (const pause of [500, 1_000, 2_000, 4_000, 8_000, 8_000]) {
      const before = reads.length;
      mock.timers.tick(pause - 1);
      await turn();
      expect(reads).to.have.length(before);
      mock.timers.tick(1);
      for (let turns = 0; turns < 5; turns++) await turn();
      expect(reads).to.have.length(before + 2);
    }
    isRequested = false;
    mock.timers.tick(8_000);
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(reads).to.have.length(16);
    mock.timers.tick(60_000);
    await turn();
    expect(reads).to.have.length(16);
  });

  it('limits the rate of reads, however often they are requested and however fast the answer is', async () => {
    let now = 0;
    const due = new Map<number, () => void>();
    const timers = { start: (run: () => void, pause: number) => due.set(now + pause, run) };
    let reads = 0;
    const read = async () => {
      reads++;
    };
    const refresher = new Refresher(read, timers as unknown as Timers);
    for (; now < 20_000; now += 20) {
      due.get(now)?.();
      refresher.refresh('group:1');
      await turn();
    }
    expect(reads).to.equal(6); // after 0, 0.5, 1.5, 3.5, 7.5 and 15.5 seconds
  });

  it('retries after temporary errors, as late as the server says, and gives up after permanent ones', async () => {
    const timers = new Timers();
    const errors = [
      new ParleyError('UNAVAILABLE', ''),
      new ParleyError('RATE_LIMITED', '', 20),
      new ParleyError('TIMEOUT', ''),
      new ParleyError('INTERNAL', ''),
      new ParleyError('NOT_A_MEMBER', ''),
    ];
    let tries = 0;
    const code = timers
      .retry(async () => {
        throw errors[tries++] ?? new Error('tried too often');
      })
      .catch((error) => error.code);
    for (const [pause, expected] of [
      [499, 1],
      [1, 2],
      [19_999, 2],
      [1, 3],
      [29_999, 3],
      [1, 4],
      [3_999, 4],
      [1, 5],
    ] as const) {
      await turn();
      mock.timers.tick(pause);
      await turn();
      expect(tries).to.equal(expected);
    }
    expect(await code).to.equal('NOT_A_MEMBER');
  });

  it('ends with the client: a waiting read is tried a last time, and no timer remains', async () => {
    const timers = new Timers();
    let isOver = false;
    const code = timers
      .retry(async () => {
        throw new ParleyError(isOver ? 'CLOSED' : 'UNAVAILABLE', '');
      })
      .catch((error) => error.code);
    await turn();
    isOver = true;
    timers.end();
    expect(await code).to.equal('CLOSED');
    let late = 0;
    timers.start(() => late++, 1);
    mock.timers.tick(10);
    expect(late).to.equal(0);
  });
});
