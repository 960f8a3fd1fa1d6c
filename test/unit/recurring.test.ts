import { expect } from 'chai';
import { recurring } from '../../src/database/recurring.ts';

/** Work that runs until the test ends it. */
class Work {
  runs = 0;
  #end: () => void = () => {};
  readonly run = (): Promise<void> => {
    this.runs++;
    return new Promise((resolve) => {
      this.#end = resolve;
    });
  };

  /** Ends the run, and resolves when what follows it has begun. */
  async end(): Promise<void> {
    this.#end();
    await new Promise(setImmediate);
  }
}

const HOUR = 3_600_000;

describe('recurring work', () => {
  it('begins at once, and never runs twice at the same time', async () => {
    const work = new Work();
    const repeated = recurring(HOUR, work.run);
    expect(work.runs).to.equal(1);
    for (let times = 0; times < 3; times++) repeated.runSoon();
    expect(work.runs).to.equal(1);
    await work.end();
    expect(work.runs).to.equal(2); // once for all three
    await work.end();
    expect(work.runs).to.equal(2);
    repeated.runSoon();
    expect(work.runs).to.equal(3);
    await work.end();
    await repeated.close();
  });

  it('runs again after each interval', async () => {
    let runs = 0;
    const done = new Promise<void>((resolve) => {
      const repeated = recurring(1, async () => {
        if (++runs === 3) void repeated.close().then(resolve);
      });
    });
    const alive = setInterval(() => {}, HOUR); // its own timer does not keep the process
    await done;
    clearInterval(alive);
    expect(runs).to.equal(3);
  });

  it('is told of the end, which waits for it, and does not begin again', async () => {
    const work = new Work();
    let signal: AbortSignal | undefined;
    const repeated = recurring(HOUR, (closing) => {
      signal = closing;
      return work.run();
    });
    repeated.runSoon();
    let isClosed = false;
    const closed = repeated.close().then(() => {
      isClosed = true;
    });
    expect(signal?.aborted).to.equal(true);
    await new Promise(setImmediate);
    expect(isClosed).to.equal(false);
    await work.end();
    await closed;
    expect(work.runs).to.equal(1);
    repeated.runSoon();
    expect(work.runs).to.equal(1);
  });
});
