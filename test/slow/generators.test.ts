import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GoGenerator, PythonGenerator, TypeScriptGenerator } from '@asyncapi/modelina';
import { type AsyncAPIDocumentInterface, Parser } from '@asyncapi/parser';
import core, { type RulesetDefinition } from '@stoplight/spectral-core';
import parsers from '@stoplight/spectral-parsers';
import rulesets from '@stoplight/spectral-rulesets';
import { expect } from 'chai';
import openapiTS, { astToString } from 'openapi-typescript';
import { http, temporaryFolder } from '../support/harness.ts';
import { isInstalled } from '../support/installed.ts';

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

const read = async (name: string): Promise<string> => (await http('GET', `/${name}`)).body;

/** Runs a program over a generated file, and fails with what it prints. */
function check(command: string, ...args: string[]): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  expect({ status, stderr, error, stdout: status === 0 ? '' : stdout }).to.deep.equal({
    ...{ status: 0, stderr: '', error: undefined, stdout: '' },
  });
}

function compileTypeScript(file: string): void {
  check(
    join('node_modules', '.bin', 'tsc'),
    '--noEmit',
    '--strict',
    '--ignoreConfig',
    '--target',
    'es2022',
    file,
  );
}

describe('code generated from asyncapi.yaml', function () {
  this.timeout(60_000);

  let parsed: AsyncAPIDocumentInterface;
  before(async () => {
    // without rules, which Spectral checks below
    const parser = new Parser({ ruleset: { core: false, recommended: false } });
    const { document, diagnostics } = await parser.parse(await read('asyncapi.yaml'));
    parsed = document ?? expect.fail(JSON.stringify(diagnostics));
  });

  /** Returns the sources of all types, after a look at their names. */
  async function generate(generator: TypeScriptGenerator | PythonGenerator | GoGenerator): Promise<string> {
    const models = await generator.generate(parsed);
    expect(models.map(({ modelName }) => modelName)).to.include.members(NAMED);
    const text = models.map(({ result }) => result).join('\n\n');
    expect(text).not.to.match(/anonymous/i);
    return text;
  }

  it('has names and compiles in TypeScript', async () => {
    const file = join(await temporaryFolder(), 'models.ts');
    await writeFile(
      file,
      `${await generate(new TypeScriptGenerator({ modelType: 'interface' }))}\nexport {};\n`,
    );
    compileTypeScript(file);
  });

  it('has names and compiles in Python', async function () {
    const file = join(await temporaryFolder(), 'models.py');
    await writeFile(file, await generate(new PythonGenerator()));
    if (!isInstalled('python3')) return this.skip();
    check('python3', '-m', 'py_compile', file);
  });

  it('has names and the syntax of Go', async function () {
    const file = join(await temporaryFolder(), 'models.go');
    await writeFile(file, `package parley\n\n${await generate(new GoGenerator())}`);
    if (!isInstalled('gofmt', '-h')) return this.skip();
    check('gofmt', '-e', '-w', file);
  });
});

describe('code generated from openapi.yaml', () => {
  it('has names and compiles in TypeScript', async function () {
    this.timeout(60_000);
    const text = astToString(await openapiTS(await read('openapi.yaml')));
    for (const name of ['Account', 'Login', 'Error', 'ErrorCode'])
      expect(text).to.match(new RegExp(`\\b${name}: `));
    const file = join(await temporaryFolder(), 'openapi.ts');
    await writeFile(file, text);
    compileTypeScript(file);
  });
});

/** Recommendations that the documents do not follow. */
const OFF = {
  'asyncapi.yaml': {
    'asyncapi-latest-version': 'off', // a hint: generators know 3.0
    'asyncapi-info-contact': 'off', // that of an operator, whom the documents do not know
    'asyncapi-3-operation-description': 'off', // each has a summary, and a description if there is more to say
  },
  'openapi.yaml': {
    'info-contact': 'off',
    'operation-description': 'off',
    'oas3-server-trailing-slash': 'off', // the address is relative
    'oas3-valid-media-example': 'off', // it reads patterns without Unicode; apis.test.ts validates the examples
  },
} as const;

describe('Spectral', function () {
  this.timeout(60_000);

  for (const [name, rules] of [
    ['asyncapi.yaml', rulesets.asyncapi],
    ['openapi.yaml', rulesets.oas],
  ] as const)
    it(`finds no errors and no warnings in ${name}`, async () => {
      const spectral = new core.Spectral();
      spectral.setRuleset({ extends: [[rules as RulesetDefinition, 'recommended']], rules: OFF[name] });
      const found = await spectral.run(new core.Document(await read(name), parsers.Yaml, name));
      expect(found.map(({ code, path, message }) => `${code} ${path.join('.')}: ${message}`)).to.deep.equal(
        [],
      );
    });
});
