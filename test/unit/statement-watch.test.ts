import { expect } from 'chai';
import { StatementWatch } from '../../src/database/StatementWatch.ts';

const TIMEOUT = 30;

describe('the watch of unanswered statements', () => {
  let late: Promise<number>;
  let watch: StatementWatch;

  beforeEach(() => {
    late = new Promise((resolve) => {
      watch = new StatementWatch(TIMEOUT, () => resolve(performance.now()));
    });
  });
  const send = () => {
    const start = performance.now();
    watch.sent(start);
    return start;
  };
  /** Resolves after the timer of statements that were sent before. */
  const elapsed = () => new Promise((resolve) => setTimeout(resolve, TIMEOUT + 10));

  it('reports the oldest one after the timeout', async () => {
    const alive = setInterval(() => {}, 1_000); // its own timer does not keep the process
    const start = send();
    expect(await late).to.be.at.least(start + TIMEOUT - 1);
    clearInterval(alive);
  });

  it('gives each one the whole timeout, and watches again after all were answered', async () => {
    let isLate = false;
    void late.then(() => {
      isLate = true;
    });
    send();
    watch.answered();
    await elapsed();
    expect(isLate).to.equal(false);
    send();
    await new Promise((resolve) => setTimeout(resolve, TIMEOUT / 2));
    const start = send();
    watch.answered();
    const alive = setInterval(() => {}, 1_000);
    expect(await late).to.be.at.least(start + TIMEOUT - 1);
    clearInterval(alive);
  });
});
