import { expect } from 'chai';
import type { Database } from '../../src/database/database.ts';
import { checkRequirements } from '../../src/database/requirements.ts';
import { StartError } from '../../src/protocol/errors.ts';

describe('the database that is required', () => {
  const good = {
    version: '15.0',
    versionNumber: 150_000,
    encoding: 'UTF8',
    name: 'parley',
    isStandby: false,
    isReadOnly: false,
  };
  const check = (facts: Partial<typeof good>) =>
    checkRequirements({ query: async () => [{ ...good, ...facts }] } as unknown as Database);

  it('is PostgreSQL 15 or later in UTF8, for ever', async () => {
    expect(await check({})).to.equal(undefined);
    for (const [facts, problem] of [
      [{ version: '14.9', versionNumber: 140_009 }, /is PostgreSQL 14\.9; expected 15 or later/],
      [{ encoding: 'LATIN1' }, /"parley" has the encoding LATIN1/],
      [{ encoding: 'LATIN1', isStandby: true }, /"parley" has the encoding LATIN1/],
    ] as const) {
      const error = await check(facts).catch((reason) => reason);
      expect(error).to.be.instanceOf(StartError);
      expect(error.message).to.match(problem);
    }
  });

  it('is the primary and writable, which it may become', async () => {
    expect(await check({ isStandby: true, isReadOnly: true })).to.match(/read-only standby/);
    expect(await check({ isReadOnly: true })).to.match(
      /"parley" is read-only \(default_transaction_read_only\)/,
    );
  });
});
