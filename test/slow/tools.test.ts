import { execFile, spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { http, temporaryFolder } from '../support/harness.ts';
import { isInstalled } from '../support/installed.ts';
import { installLocked } from '../support/packages.ts';

/** Things with a name that a generator makes a type of. */
const NAMED = [
  'Message',
  'ChatSummary',
  'Profile',
  'Group',
  'Member',
  'Invite',
  'Error',
  'PrivateMessageParams',
];

/** The package of the tools. */
const PACKAGE = fileURLToPath(new URL('tools/', import.meta.url));

/** The findings of generate.js. */
interface Findings {
  readonly parser: readonly { readonly code: string | number }[];
  readonly models: Readonly<Record<string, readonly string[]>>;
  readonly spectral: Readonly<Record<string, readonly string[]>>;
}

const run = promisify(execFile);

describe('tools of others', () => {
  before(async function () {
    this.timeout(240_000);
    if (!(await installLocked(PACKAGE))) this.skip();
  });

  describe('the documents for programs', function () {
    this.timeout(120_000);

    let folder: string;
    let findings: Findings;

    before(async () => {
      folder = await temporaryFolder();
      for (const name of ['asyncapi.yaml', 'openapi.yaml'])
        await writeFile(join(folder, name), (await http('GET', `/${name}`)).body);
      await run(process.execPath, [join(PACKAGE, 'generate.js'), folder]);
      findings = JSON.parse(await readFile(join(folder, 'findings.json'), 'utf8'));
    });

    /** Runs a program over a generated file, and fails with what it prints. */
    function check(command: string, ...args: string[]): void {
      const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
      expect({ status, stderr, error, stdout: status === 0 ? '' : stdout }).to.deep.equal({
        ...{ status: 0, stderr: '', error: undefined, stdout: '' },
      });
    }

    const compileTypeScript = (name: string) =>
      check(
        join('node_modules', '.bin', 'tsc'),
        ...['--noEmit', '--strict', '--ignoreConfig', '--target', 'es2022', join(folder, name)],
      );

    /** Checks the names in generated models. */
    async function expectNames(name: string): Promise<void> {
      expect(findings.models[name]).to.include.members(NAMED);
      expect(await readFile(join(folder, name), 'utf8')).not.to.match(/anonymous/i);
    }

    it('are accepted by the parser of AsyncAPI without errors or warnings', () => {
      // a hint, not a warning: AsyncAPI 3.1 exists
      expect(findings.parser.map(({ code }) => code)).to.deep.equal(['asyncapi-latest-version']);
    });

    it('give types with names in TypeScript, which compile', async () => {
      await expectNames('models.ts');
      compileTypeScript('models.ts');
    });

    it('give types with names in Python, which compile', async function () {
      await expectNames('models.py');
      if (!isInstalled('python3')) return this.skip();
      check('python3', '-m', 'py_compile', join(folder, 'models.py'));
    });

    it('give types with names in Go, whose syntax is right', async function () {
      await expectNames('models.go');
      if (!isInstalled('gofmt', '-h')) return this.skip();
      check('gofmt', '-e', '-w', join(folder, 'models.go'));
    });

    it('give types of the HTTP calls with names in TypeScript, which compile', async () => {
      const text = await readFile(join(folder, 'openapi.ts'), 'utf8');
      for (const name of ['Account', 'Login', 'Error', 'ErrorCode'])
        expect(text).to.match(new RegExp(`\\b${name}: `));
      compileTypeScript('openapi.ts');
    });

    for (const name of ['asyncapi.yaml', 'openapi.yaml'])
      it(`have no errors and no warnings of Spectral: ${name}`, () => {
        expect(findings.spectral[name]).to.deep.equal([]);
      });
  });

  describe('the package of the client', () => {
    const tool = (name: string) => join(PACKAGE, 'node_modules', '.bin', name);

    it('has no findings of publint', async () => {
      expect((await run(tool('publint'), ['dist/package', '--strict'])).stdout).to.include('All good!');
    });

    it('has types that every resolution of modules finds', async () => {
      await run(tool('attw'), ['dist/package', '--pack', '--profile', 'esm-only']); // fails if there are problems
    });
  });
});
