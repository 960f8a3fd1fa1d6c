import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createFile, fillFile, removeLeftovers } from '../../src/files.ts';
import { storedSecret } from '../../src/secrets.ts';

const creators = ['a', 'b', 'c', 'd'];
const long = (letter: string) => letter.repeat(1_000_000);

describe('files of the data folder', () => {
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-files-'));
    file = join(folder, 'secret');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('are created by one of several processes, and are never visible half-written', async () => {
    let isDone = false;
    const seen = new Set<string>();
    const look = async () => {
      while (!isDone) seen.add(await readFile(file, 'utf8').catch(() => 'none'));
    };
    const looking = look();
    const created = await Promise.all(creators.map((letter) => createFile(file, long(letter))));
    isDone = true;
    await looking;
    const content = await readFile(file, 'utf8');
    expect(created.filter(Boolean).length).to.equal(1);
    expect(content === long(creators[created.indexOf(true)] ?? '')).to.equal(true);
    seen.delete('none');
    seen.delete(content);
    expect(seen.size).to.equal(0);
    expect(await createFile(file, 'another')).to.equal(false);
    expect(await readdir(folder)).to.deep.equal(['secret']);
  });

  it('are filled by one of several processes that find an empty one', async () => {
    await writeFile(file, '');
    const found = await Promise.all(
      creators.map(async (letter) => {
        await fillFile(file, letter);
        return readFile(file, 'utf8');
      }),
    );
    expect(new Set(found).size).to.equal(1);
    expect(await readdir(folder)).to.deep.equal(['secret']);
  });

  it('of secrets are the same for all servers that start, whether the file is absent or empty', async () => {
    for (const content of [undefined, '']) {
      await rm(file, { force: true });
      if (content !== undefined) await writeFile(file, content);
      const secrets = await Promise.all(creators.map(() => storedSecret(file)));
      expect(new Set(secrets).size).to.equal(1);
      expect(secrets[0]).to.match(/^[0-9a-f]{64}$/);
    }
  });

  it('lose temporary files that a killed process left a minute ago, and nothing else', async () => {
    const left = 'secret.6fd4e8a4-6c02-4b52-9d7e-4b2f5d3c1a00';
    const fresh = 'secret.00000000-0000-0000-0000-000000000000';
    const others = ['secret', 'secret.bak', 'secret.2', 'other.6fd4e8a4-6c02-4b52-9d7e-4b2f5d3c1a00'];
    for (const name of [left, fresh, ...others]) await writeFile(join(folder, name), 'x');
    const before = new Date(Date.now() - 61_000);
    for (const name of [left, ...others]) await utimes(join(folder, name), before, before);
    await removeLeftovers(file);
    expect((await readdir(folder)).sort()).to.deep.equal([fresh, ...others].sort());
  });

  it('are not removed as left over when the clock of the machine is ahead of that of the files', async () => {
    const fresh = 'secret.6fd4e8a4-6c02-4b52-9d7e-4b2f5d3c1a00';
    await writeFile(join(folder, fresh), 'x');
    const { now } = Date;
    try {
      Date.now = () => now() + 3_600_000;
      await removeLeftovers(file);
    } finally {
      Date.now = now;
    }
    expect(await readdir(folder)).to.deep.equal([fresh]);
  });

  it('are filled although a killed process left its lock', async () => {
    const turn = `${file}.00000000-0000-0000-0000-000000000000`;
    await writeFile(file, '');
    await writeFile(turn, 'left');
    const before = new Date(Date.now() - 61_000);
    await utimes(turn, before, before);
    await fillFile(file, 'mine');
    expect(await readFile(file, 'utf8')).to.equal('mine');
  });
});
