import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { claim, isClaimed, isPostmasterOf, tryLock, unlock } from '../../src/database/ownership.ts';
import { StartError } from '../../src/protocol/errors.ts';

describe('the owner of a data folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'parley-test-')));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is whoever holds its lock, and not the process of an id in a file', async () => {
    await writeFile(join(folder, 'server.pid'), `${process.pid}\n`);
    expect(await isClaimed(folder)).to.equal(false);
    const lock = await claim(folder);
    expect(await isClaimed(folder)).to.equal(true);
    const refusal = await claim(folder).catch((error) => error);
    expect(refusal).to.be.instanceOf(StartError);
    expect(refusal.message).to.include(`${folder} is in use by another server (process ${process.pid})`);
    unlock(lock);
    expect(await isClaimed(folder)).to.equal(false);
  });

  it('is waited for while it holds the lock for a moment', async () => {
    const lock = await tryLock(join(folder, 'server.pid'));
    const claiming = claim(folder);
    setTimeout(() => unlock(lock as number), 50);
    unlock(await claiming);
  });

  it('is no process that got the id of its database and works elsewhere', async function () {
    if (process.platform !== 'linux') return this.skip();
    const child = spawn('sleep', ['60'], { cwd: folder, stdio: 'ignore' });
    await once(child, 'spawn');
    const pid = Number(child.pid);
    try {
      expect(await isPostmasterOf(pid, folder)).to.equal(true);
      expect(await isPostmasterOf(pid, `${folder}-other`)).to.equal(false);
      expect(await isPostmasterOf(process.pid, folder)).to.equal(false);
    } finally {
      child.kill();
      await once(child, 'exit');
    }
    expect(await isPostmasterOf(pid, folder)).to.equal(false);
  });
});
