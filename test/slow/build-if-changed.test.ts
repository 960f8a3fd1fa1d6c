import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';

const SCRIPT = resolve('tools/buildIfChanged.js');
const BUILT = 'dist/web/index.html';
const EARLIER = new Date('2020-01-01');
const LATER = new Date('2021-01-01');

describe('the build before npm start', () => {
  let folder: string;

  /** Writes a file in the folder, of the given time, as are the folders that it is in. */
  async function write(path: string, time: Date, content = ''): Promise<void> {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
    for (let name = path; name !== '.'; name = dirname(name)) await utimes(join(folder, name), time, time);
  }

  const run = () => promisify(execFile)(process.execPath, [SCRIPT], { cwd: folder });
  const isBuilt = async () => (await readFile(join(folder, BUILT), 'utf8')) !== '';

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-build-'));
    const build = `node -e "fs.mkdirSync('dist/web', { recursive: true }); fs.writeFileSync('${BUILT}', 'built')"`;
    await write('package.json', EARLIER, JSON.stringify({ scripts: { build } }));
    await write('src/http/pages.ts', EARLIER);
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('runs if nothing is built', async () => {
    await run();
    expect(await isBuilt()).to.equal(true);
  });

  it('does not run if no source is newer than the last build', async () => {
    await write(BUILT, LATER);
    await run();
    expect(await isBuilt()).to.equal(false);
  });

  for (const source of ['src/http/pages.ts', 'web/style.css', 'package.json', 'tsconfig.json'])
    it(`runs if ${source} has changed`, async () => {
      await write(BUILT, EARLIER);
      await write(source, LATER, await readFile(join(folder, source), 'utf8').catch(() => ''));
      await run();
      expect(await isBuilt()).to.equal(true);
    });

  it('runs if a source was deleted', async () => {
    await write(BUILT, LATER);
    await rm(join(folder, 'src/http/pages.ts'));
    await run();
    expect(await isBuilt()).to.equal(true);
  });

  it('does not run where there are no sources', async () => {
    await write(BUILT, EARLIER);
    await rm(join(folder, 'src'), { recursive: true });
    await write('package.json', LATER, '{}');
    await run();
    expect(await isBuilt()).to.equal(false);
  });

  it('prevents the start if it fails', async () => {
    await write('package.json', LATER, JSON.stringify({ scripts: { build: 'exit 3' } }));
    const { code } = await run().then(
      () => ({ code: 0 }),
      (error) => error,
    );
    expect(code).to.equal(1);
  });
});
