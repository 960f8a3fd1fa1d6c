import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { defaultLimits } from '../../src/limits.ts';
import { openFilesWarning } from '../../src/net/openFilesWarning.ts';

describe('the warning about open files', () => {
  it('names the larger limit on connections, where these and a hundred others may not be open', async function () {
    const table = await readFile('/proc/self/limits', 'utf8').catch(() => '');
    const limit = Number(/^Max open files +(\d+)/m.exec(table)?.[1]);
    if (!limit) return this.skip();
    const warning = (connectionsPerUser: number, connectionsPerAddress: number) =>
      openFilesWarning({ ...defaultLimits, connectionsPerUser, connectionsPerAddress });
    expect(await warning(1, limit - 100)).to.equal(undefined);
    expect(await warning(limit - 100, 1)).to.equal(undefined);
    const ofAddress = `this process may open ${limit} files, too few for CONNECTIONS_PER_ADDRESS=${limit - 99}`;
    expect((await warning(1, limit - 99))?.startsWith(`${ofAddress}:`)).to.equal(true);
    const ofUser = `this process may open ${limit} files, too few for CONNECTIONS_PER_USER=${limit - 99}`;
    expect((await warning(limit - 99, 1))?.startsWith(`${ofUser}:`)).to.equal(true);
  });
});
