import { expect } from 'chai';
import { PendingChange } from '../../src/messages/PendingChange.ts';
import { id } from '../support/ids.ts';

/** Returns a change, and how often it has left the queue. */
function newChange() {
  let left = 0;
  const change = new PendingChange(id(1), id(2), () => {
    left++;
  });
  change.discarded.catch(() => {}); // most tests do not wait for it
  return { change, left: () => left };
}

describe('PendingChange', () => {
  it('leaves the queue once, when it begins', () => {
    const { change, left } = newChange();
    expect([change.isRunning, left()]).to.deep.equal([false, 0]);
    change.begin();
    expect([change.isRunning, left()]).to.deep.equal([true, 1]);
    change.leaveQueue();
    change.end();
    expect([change.isRunning, left()]).to.deep.equal([false, 1]);
  });

  it('leaves the queue when it ends without having begun, and resolves for those who wait for its end', async () => {
    const { change, left } = newChange();
    change.end();
    await change.ended;
    expect([change.isRunning, left()]).to.deep.equal([false, 1]);
  });

  it('rejects with the first error with which it is discarded, and does not begin any more', async () => {
    const { change, left } = newChange();
    change.check();
    const [first, second] = [new Error('first'), new Error('second')];
    for (const error of [first, second]) change.discard(error);
    expect(await change.discarded.catch((error) => error)).to.equal(first);
    expect(() => change.check()).to.throw(first);
    expect(() => change.begin()).to.throw(first);
    expect([change.isRunning, left()]).to.deep.equal([false, 0]);
  });

  it('is not discarded once it is running or has ended', async () => {
    for (const ends of [false, true]) {
      const { change } = newChange();
      change.begin();
      if (ends) change.end();
      change.discard(new Error('too late'));
      change.check();
      const outcome = await Promise.race([
        change.discarded.catch((error) => error),
        Promise.resolve('goes on'),
      ]);
      expect(outcome).to.equal('goes on');
    }
  });
});
