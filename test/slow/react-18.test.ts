import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { testReactExample } from '../page/reactExample.ts';
import { compile, installLocked, REACT_PROGRAM } from '../support/packages.ts';

/** The package of React 18. */
const PACKAGE = fileURLToPath(new URL('react-18/', import.meta.url));

const old = (name: string) => join(PACKAGE, 'node_modules', name);

describe('React 18', function () {
  this.timeout(240_000);

  before(async function () {
    if (!(await installLocked(PACKAGE))) this.skip();
    expect(createRequire(old('react/'))('./package.json').version).to.match(/^18\./);
  });

  it('has types with which the hooks compile', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'parley-package-'));
    try {
      await cp('dist/package', join(folder, 'node_modules/@parley-chat/client'), { recursive: true });
      await mkdir(join(folder, 'node_modules/@types'));
      for (const name of ['@types/react', '@types/prop-types', 'csstype'])
        await symlink(old(name), join(folder, 'node_modules', name));
      const options = { module: 'nodenext', jsx: 'react-jsx' };
      const output = await compile(folder, options, { 'app.tsx': REACT_PROGRAM });
      expect(output)
        .to.include('react-18/node_modules/@types/react/index.d.ts')
        .and.not.match(/error TS/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  describe('runs examples/react, in StrictMode', () => {
    testReactExample(join(PACKAGE, 'node_modules'));
  });
});
