import { expect } from 'chai';
import { type AttemptLimits, createAttemptLimits } from '../../src/http/attemptLimits.ts';
import { defaultLimits } from '../../src/limits.ts';
import { LimitError } from '../../src/protocol/errors.ts';
import { id } from '../support/ids.ts';

const WINDOW = 60;
const limits = {
  ...defaultLimits,
  ...{ loginFailuresPerAccount: 3, loginFailuresPerAddress: 5, loginWindowSeconds: WINDOW },
  ...{ registrationsPerAddress: 2, renamesPerUser: 2 },
};
const ADDRESS = '192.0.2.9';

/** Returns the limit and the seconds to wait of a refusal. */
const refusalOf = (attempt: Promise<unknown>): Promise<[string, number | undefined]> =>
  attempt.then(
    () => expect.fail('it was not refused'),
    (error) => {
      if (!(error instanceof LimitError) || error.code !== 'RATE_LIMITED') throw error;
      return [error.limit, error.retryAfter];
    },
  );

describe('the limits on attempts', () => {
  const { now } = Date;
  let time: number;
  let attempts: AttemptLimits;
  const guess = (isRight: boolean, account = 'ada', address = ADDRESS) =>
    attempts.guess(account, address, async () => isRight);
  const times = async (count: number, work: (n: number) => Promise<unknown>) => {
    for (let n = 0; n < count; n++) await work(n);
  };

  beforeEach(() => {
    time = now();
    Date.now = () => time;
    attempts = createAttemptLimits(limits);
  });
  afterEach(() => {
    Date.now = now;
  });

  it('refuse an account after so many wrong passwords, until the window ends', async () => {
    await times(3, async () => expect(await guess(false)).to.equal(false));
    expect(await refusalOf(guess(true))).to.deep.equal(['login', WINDOW]);
    time += (WINDOW - 1) * 1000;
    expect(await refusalOf(guess(true))).to.deep.equal(['login', 1]);
    time += 1000;
    expect(await guess(true)).to.equal(true);
  });

  it('never last longer than a window, although the clock is set back', async () => {
    await times(3, () => guess(false));
    time -= 2 * 3_600_000;
    expect(await refusalOf(guess(true))).to.deep.equal(['login', WINDOW]);
  });

  it('compare at most half as many passwords of an account at the same time as may fail', async () => {
    let running = 0;
    let most = 0;
    const slow = () =>
      attempts.guess('ada', ADDRESS, async () => {
        most = Math.max(most, ++running);
        await new Promise(setImmediate);
        running--;
        return true;
      });
    await Promise.all(Array.from({ length: 10 }, slow));
    expect(most).to.equal(2); // of 3
  });

  it('compare no password over the limit', async () => {
    await times(3, () => guess(false));
    let compared = 0;
    await refusalOf(attempts.guess('ada', ADDRESS, async () => ++compared > 0));
    expect(compared).to.equal(0);
  });

  it('count the spellings of one account together, and no other account or address', async () => {
    await times(3, (n) => guess(false, ['ada', 'ADA', 'Ａda'][n]));
    await refusalOf(guess(true, 'Ada'));
    expect(await guess(true, 'bob')).to.equal(true);
    expect(await guess(true, 'ada', '192.0.2.10')).to.equal(true);
  });

  it('count the accounts that one address tries, a network of IPv6 as one', async () => {
    await times(5, (n) => guess(false, `account ${n}`, `2001:db8:5::${n}`));
    await refusalOf(guess(true, 'ada', '2001:db8:5::99'));
    expect(await guess(true, 'ada', '2001:db8:5:1::1')).to.equal(true);
  });

  it('do not count right passwords', async () => {
    await times(20, async () => expect(await guess(true)).to.equal(true));
    await times(3, () => guess(false));
    await refusalOf(guess(true));
  });

  it('do not count a comparison that fails, which says nothing about the password', async () => {
    const fails = () => attempts.guess('ada', ADDRESS, () => Promise.reject(new Error('a thread died')));
    await times(20, async () =>
      expect(await fails().catch(({ message }) => message)).to.equal('a thread died'),
    );
    expect(await guess(true)).to.equal(true);
  });

  it('let no more wrong passwords through that arrive at the same time, and all right ones', async () => {
    const wrong = Array.from({ length: 10 }, () => guess(false).catch(({ code }) => code));
    expect((await Promise.all(wrong)).filter((outcome) => outcome === false)).to.have.length(3);
    const right = Array.from({ length: 20 }, () => guess(true, 'bob', '192.0.2.10'));
    expect(new Set(await Promise.all(right))).to.deep.equal(new Set([true]));
  });

  it('refuse further registrations from an address for an hour', async () => {
    await times(2, () => attempts.registering(ADDRESS));
    expect(await refusalOf(attempts.registering(ADDRESS))).to.deep.equal(['registration', 3_600]);
    await attempts.registering('192.0.2.10');
    time += 3_600_000;
    await attempts.registering(ADDRESS);
  });

  it('refuse further changes of the username to a user for an hour', async () => {
    await times(2, () => attempts.renaming(id(7)));
    expect(await refusalOf(attempts.renaming(id(7)))).to.deep.equal(['rename', 3_600]);
    await attempts.renaming(id(8));
  });
});
