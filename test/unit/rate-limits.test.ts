import { expect } from 'chai';
import { Type } from 'typebox';
import { defineCommand } from '../../src/commands/define.ts';
import { defaultLimits } from '../../src/limits.ts';
import { createRateLimiters, createUpgradeLimits } from '../../src/socket/rateLimits.ts';
import { id } from '../support/ids.ts';

/** So slow that nothing is refilled while a test runs. */
const SLOW = 0.001;

const limits = {
  ...defaultLimits,
  ...{ commandsPerSecond: SLOW, commandBurst: 10, userCommandsPerSecond: SLOW, userCommandBurst: 15 },
};

const definition = {
  ...{ params: Type.Object({}), result: Type.Object({}), errors: [], summary: '' },
  ...({ repeatable: true, storesMessage: false, ordered: true, cost: 1 } as const),
  handle: async () => ({}),
};
const cheap = defineCommand({ ...definition, type: 'cheap' });
const dear = defineCommand({ ...definition, type: 'dear', cost: 4 });
const dearest = defineCommand({ ...definition, type: 'dearest', cost: 1000 });
const rare = defineCommand({ ...definition, type: 'rare', rate: { burst: 2, perSecond: SLOW } });

describe('the rate limiter of a connection', () => {
  it('takes as many commands at once as the burst', () => {
    const limiter = createRateLimiters(limits)(id(1));
    for (let n = 0; n < 10; n++) expect(limiter.take(cheap)).to.equal(undefined);
    expect(limiter.take(cheap)).to.be.a('number');
  });

  it('returns the whole seconds to wait, at least one', () => {
    const fast = createRateLimiters({ ...limits, commandsPerSecond: 1000, userCommandsPerSecond: 1000 })(
      id(1),
    );
    let seconds: number | undefined;
    while (seconds === undefined) seconds = fast.take(cheap);
    expect(seconds).to.equal(1);
    const slow = createRateLimiters({ ...limits, commandsPerSecond: 0.1 })(id(2));
    for (let n = 0; n < 10; n++) slow.take(cheap);
    expect(slow.take(cheap)).to.be.within(2, 10).and.satisfy(Number.isInteger);
  });

  it('counts a command by its cost, and one that costs more than the burst as the whole burst', () => {
    const limiter = createRateLimiters(limits)(id(1));
    expect([limiter.take(dear), limiter.take(dear)]).to.deep.equal([undefined, undefined]);
    expect(limiter.take(dear)).to.be.a('number');
    expect([limiter.take(cheap), limiter.take(cheap)]).to.deep.equal([undefined, undefined]);
    expect(createRateLimiters(limits)(id(2)).take(dearest)).to.equal(undefined);
  });

  it('counts frames that name no command', () => {
    const limiter = createRateLimiters(limits)(id(1));
    for (let n = 0; n < 10; n++) expect(limiter.take(undefined)).to.equal(undefined);
    expect(limiter.take(undefined)).to.be.a('number');
  });

  it('refuses a command over its own rate, and takes others', () => {
    const limiter = createRateLimiters(limits)(id(1));
    expect([limiter.take(rare), limiter.take(rare)]).to.deep.equal([undefined, undefined]);
    expect(limiter.take(rare)).to.be.a('number');
    expect(limiter.take(cheap)).to.equal(undefined);
  });

  it('refuses what is over the limit of all connections of the user, and not the connections of others', () => {
    const limiterOf = createRateLimiters(limits);
    const [one, other, stranger] = [limiterOf(id(1)), limiterOf(id(1)), limiterOf(id(2))];
    for (let n = 0; n < 10; n++) one.take(cheap);
    for (let n = 0; n < 5; n++) expect(other.take(cheap)).to.equal(undefined);
    expect(other.take(cheap)).to.be.a('number');
    expect(stranger.take(cheap)).to.equal(undefined);
  });
});

describe('the rate limiter of upgrades', () => {
  const newLimiter = () =>
    createUpgradeLimits({
      ...limits,
      ...{ upgradesPerSecond: 100, userUpgradesPerSecond: 10, addressUpgradesPerSecond: 50 },
    });
  /** The refusals of so many upgrades at once. */
  const refusals = (limiter: ReturnType<typeof newLimiter>, count: number, userId: number, address: string) =>
    Array.from({ length: count }, () => limiter.ofUser(id(userId), address)).filter((of) => of !== undefined);

  it('takes upgrades up to each limit', () => {
    const limiter = newLimiter();
    expect(refusals(limiter, 10, 1, 'a')).to.deep.equal([]);
    for (let userId = 2; userId <= 5; userId++) expect(refusals(limiter, 10, userId, 'a')).to.deep.equal([]);
  });

  it('refuses a user or an address without taking anything from the others', () => {
    const limiter = newLimiter();
    expect(new Set(refusals(limiter, 1000, 1, 'a'))).to.deep.equal(new Set(['user']));
    for (let userId = 2; userId < 30; userId++) refusals(limiter, 10, userId, 'a');
    expect(new Set(refusals(limiter, 5, 30, 'a'))).to.deep.equal(new Set(['address']));
    expect(refusals(limiter, 10, 31, 'b')).to.deep.equal([]);
  });

  it('takes of strangers, whose keys are looked up, nothing from all', () => {
    const limiter = newLimiter();
    for (let n = 0; n < 1_000; n++) limiter.ofAddress(`address ${n}`);
    expect(Array.from({ length: 51 }, () => limiter.ofAddress('a')).filter((of) => of)).to.deep.equal([
      'address',
    ]);
    expect(Array.from({ length: 101 }, () => limiter.ofAll()).filter((of) => of)).to.deep.equal(['all']);
  });

  it('refuses everybody once all together are over their limit', () => {
    const limiter = newLimiter();
    for (let n = 1; n <= 20; n++) refusals(limiter, 10, n, `address ${n}`);
    expect(new Set(refusals(limiter, 3, 100, 'new'))).to.deep.equal(new Set(['all']));
  });
});
