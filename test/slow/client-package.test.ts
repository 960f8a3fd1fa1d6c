import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { compile, install, pack, REACT_PROGRAM } from '../support/packages.ts';

const run = promisify(execFile);

/** Bytes that the installed package may have. */
const LIMIT = 100_000;

/** Uses what every program uses, and each named type. */
const PROGRAM = `
import { accounts, type Client, connect, type Group, type Message, type Profile, ParleyError } from '@parley-chat/client';

export async function main(): Promise<Message[]> {
  const { token } = await accounts('http://localhost:3000').login({ username: 'Ada', password: 'correct horse' });
  const client: Client = connect({ url: 'http://localhost:3000', token });
  client.on('privateMessage', ({ message, senderName }) => console.log(message.length, senderName.length));
  const profile: Profile = (await client.call('getProfile')).data;
  const group: Group = (await client.call('getGroup', { groupId: 1 })).data;
  await client.call('privateMessage', { receiverId: profile.userId, content: group.groupName });
  await client.call('markRead', { groupId: 1, seq: 2 }).catch((error) => error instanceof ParleyError && error.code);
  return (await client.call('getMessages', { receiverId: 1, limit: 5 })).data;
}
`;

/** Calls that do not compile, each with the words that the compiler must say of it. */
const MISTAKES: readonly (readonly [call: string, error: RegExp])[] = [
  [
    "'privateMessage', { receiverId: 1, content: '', txet: '' }",
    /'txet' does not exist in type 'PrivateMessageParams'/,
  ],
  ["'privateMessage', { to: 1, txet: '' }", /'to' does not exist in type 'PrivateMessageParams'/],
  ["'privateMessage', { receiverId: '1', content: '' }", /'string' is not assignable to type 'number'/],
  [
    "'privateMessage', { receiverId: 1 }",
    /'content' is missing in type .* but required in type 'PrivateMessageParams'/,
  ],
  [
    "'getMessages', { groupId: 1, limitt: 5 }",
    /'limitt' does not exist in type 'GroupAddress & .*'\. Did you mean to write 'limit'/,
  ],
  ["'getMessages', { limit: 5 }", /is not assignable to parameter of type 'GetMessagesParams'/],
  ["'ping', { loud: true }", /Type 'true' is not assignable to type 'never'/],
  [
    "'privateMesage', { receiverId: 1 }",
    /"privateMesage"' is not assignable to parameter of type 'keyof Commands'/,
  ],
];

describe('the package of the client', () => {
  let folder: string;
  let files: readonly { readonly path: string }[];
  let unpackedSize: number;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-package-'));
    const packed = await pack('./dist/package', folder);
    ({ files, unpackedSize } = packed);
    await install(folder, [packed]);
  });

  after(() => rm(folder, { recursive: true }));

  it('has the files of the client alone, and no dependency', async () => {
    expect(files.map(({ path }) => path).sort()).to.deep.equal([
      'LICENSE',
      'README.md',
      'client.d.ts',
      'client.js',
      'node.js',
      'package.json',
      'react.d.ts',
      'react.js',
    ]);
    const { version } = JSON.parse(await readFile('package.json', 'utf8'));
    const manifest = JSON.parse(await readFile('dist/package/package.json', 'utf8'));
    expect(manifest)
      .to.include({ name: '@parley-chat/client', version })
      .and.not.have.property('dependencies');
    expect(manifest.peerDependencies).to.have.all.keys('react', 'ws');
    expect(manifest.peerDependenciesMeta).to.deep.equal({
      react: { optional: true },
      ws: { optional: true },
    });
  });

  it('has less than 100 KB installed', () => {
    expect(unpackedSize).to.be.below(LIMIT);
  });

  for (const options of [
    { module: 'nodenext' },
    { module: 'esnext', moduleResolution: 'bundler', exactOptionalPropertyTypes: true },
  ])
    it(`compiles in a strict project with ${Object.values(options)[0]}, without types of other packages`, async () => {
      const output = await compile(folder, options, { 'program.ts': PROGRAM });
      const own = output
        .trim()
        .split('\n')
        .filter((line) => !/\/lib\.[\w.]+\.d\.ts$/.test(line));
      expect(own).to.have.length(2);
      expect(own[0]).to.match(/node_modules\/@parley-chat\/client\/client\.d\.ts$/);
      expect(own[1]).to.match(/program\.ts$/);
    });

  it('has hooks that compile with the types of React', async () => {
    await mkdir(join(folder, 'node_modules/@types'), { recursive: true });
    for (const name of ['@types/react', 'csstype'])
      await symlink(resolve('node_modules', name), join(folder, 'node_modules', name));
    const output = await compile(
      folder,
      { module: 'nodenext', jsx: 'react-jsx' },
      { 'app.tsx': REACT_PROGRAM },
    );
    expect(output)
      .to.include('/@types/react/index.d.ts')
      .and.not.match(/error TS/);
  });

  it('names the param in the error of the compiler', async () => {
    const sources = MISTAKES.map(([call], index): [string, string] => [
      `call${index}.ts`,
      `import type { Client } from '@parley-chat/client';\nexport const wrong = (client: Client) => client.call(${call});\n`,
    ]);
    const output = await compile(folder, { module: 'nodenext' }, Object.fromEntries(sources));
    for (const [index, [call, expected]] of MISTAKES.entries()) {
      const [, error = 'no error'] =
        new RegExp(`^\\S*call${index}\\.ts\\((.*(?:\\n {2}.*)*)`, 'm').exec(output) ?? [];
      expect(error, call)
        .to.match(expected)
        .and.not.match(/Omit<|Plain<|TUnsafe|Static</);
    }
  });

  it('has a description of every command and push, with the codes of refusals', async () => {
    const declarations = await readFile('dist/package/client.d.ts', 'utf8');
    expect(declarations).to.match(
      /\/\*\* Send a message to a person\. .*Refused with NOT_FOUND, .*\*\/\n\tprivateMessage: \{ params: PrivateMessageParams;/,
    );
    expect(declarations).to.match(
      /\/\*\* A user sent a message to a group\. \*\/\nexport interface MessageInGroupPush/,
    );
    expect(declarations).to.match(
      /\/\*\* The message; stored byte for byte\. 1 to 4000 characters\. \*\/\nexport type Content = string;/,
    );
  });

  it('says in Node without a WebSocket which package is needed, and finds it once it is installed', async () => {
    const script = `
      import { connect } from '@parley-chat/client';
      delete globalThis.WebSocket;
      try {
        connect({ url: 'http://localhost:9', token: '' }).close();
        console.log('created');
      } catch (error) {
        console.log(error.message);
      }`;
    const connected = async () =>
      (await run(process.execPath, ['--input-type=module', '-e', script], { cwd: folder })).stdout.trim();
    expect(await connected()).to.equal('Node has no WebSocket before 22: install the package ws');
    await mkdir(join(folder, 'node_modules/ws'));
    await writeFile(join(folder, 'node_modules/ws/index.js'), 'module.exports = class {};');
    expect(await connected()).to.equal('created');
  });
});
