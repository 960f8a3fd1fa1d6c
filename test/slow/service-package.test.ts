import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { newClients, newKey, server } from '../support/harness.ts';
import { compile, install, type Packed, pack } from '../support/packages.ts';

/** Bytes that the installed package may have, without its dependencies. */
const LIMIT = 60_000;

/** Uses what a program of a backend uses. */
const PROGRAM = `
import { connectService, type Event, ParleyError, type ServiceUser } from '@parley-chat/service';

export async function main(key: string): Promise<ServiceUser[]> {
  const service = connectService({ url: 'http://localhost:3000', key });
  const ada = service.as({ externalId: 'u-19' });
  const { groupId } = await ada.call('newGroup', { groupName: 'Order 7' });
  await ada.call('messageInGroup', { groupId, content: 'Hi' }).catch((error) => error instanceof ParleyError && error.code);
  const contentsOf = (events: readonly Event[]) =>
    events.map((event) => (event.command === 'messageInGroup' ? event.state.message.length : event.state));
  service.consume('orders', { types: ['message'] }, async (events) => contentsOf(events));
  return (await service.call('upsertUsers', { users: [{ externalId: 'u-19', isBot: true }] })).data;
}
`;

/** Calls that do not compile, each with the words that the compiler must say of it. */
const MISTAKES: readonly (readonly [call: string, error: RegExp])[] = [
  ["service.call('upsertUser', {})", /'"upsertUser"' is not assignable to parameter of type/],
  ["service.call('privateMessage', {})", /'"privateMessage"' is not assignable to parameter of type/],
  [
    "service.call('upsertUsers', { users: [{ name: 'Ada' }] })",
    /'name' does not exist in type 'AccountOfHost'/,
  ],
  [
    "service.as({ userId: 1 }).call('privateMessage', { receiverId: 1, content: '', txet: '' })",
    /'txet' does not exist in type 'PrivateMessageParams'/,
  ],
  ["service.as({ userId: 1 }).call('endSession')", /'"endSession"' is not assignable to parameter of type/],
];

describe('the package of the client for backends', () => {
  let folder: string;
  let packed: Packed;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-service-'));
    packed = await pack('./dist/service', folder);
    const others = [await pack('./dist/package', folder), await pack('./node_modules/ws', folder)];
    await install(folder, [packed, ...others]);
  });

  after(() => rm(folder, { recursive: true }));

  it('has its own files alone, and depends on the client of its version and on a WebSocket', async () => {
    expect(packed.files.map(({ path }) => path).sort()).to.deep.equal([
      'LICENSE',
      'README.md',
      'package.json',
      'service.d.ts',
      'service.js',
    ]);
    const { version } = JSON.parse(await readFile('package.json', 'utf8'));
    const manifest = JSON.parse(await readFile('dist/service/package.json', 'utf8'));
    expect(manifest).to.include({ name: '@parley-chat/service', version });
    expect(manifest.dependencies)
      .to.have.all.keys('@parley-chat/client', 'ws')
      .and.include({ '@parley-chat/client': version });
  });

  it('has less than 60 KB without its dependencies', () => {
    expect(packed.unpackedSize).to.be.below(LIMIT);
  });

  for (const options of [
    { module: 'nodenext' },
    { module: 'esnext', moduleResolution: 'bundler', exactOptionalPropertyTypes: true },
  ])
    it(`compiles in a strict project with ${Object.values(options)[0]}, with the types of the client alone`, async () => {
      const output = await compile(folder, options, { 'program.ts': PROGRAM });
      const own = output
        .trim()
        .split('\n')
        .filter((line) => !/\/lib\.[\w.]+\.d\.ts$/.test(line))
        .map((line) => line.replace(/^.*\/(?=[^/]+$)/, ''));
      expect(own.sort()).to.deep.equal(['client.d.ts', 'program.ts', 'service.d.ts']);
    });

  it('names what is wrong in the error of the compiler', async () => {
    const sources = MISTAKES.map(([call], index): [string, string] => [
      `call${index}.ts`,
      `import type { Service } from '@parley-chat/service';\nexport const wrong = (service: Service) => ${call};\n`,
    ]);
    const output = await compile(folder, { module: 'nodenext' }, Object.fromEntries(sources));
    for (const [index, [call, expected]] of MISTAKES.entries()) {
      const [, error = 'no error'] =
        new RegExp(`^\\S*call${index}\\.ts\\((.*(?:\\n {2}.*)*)`, 'm').exec(output) ?? [];
      expect(error, call).to.match(expected);
    }
  });

  it('connects from an empty project', async () => {
    const [ada] = await newClients(1);
    const { key } = await newKey('act');
    const script = `
      import { connectService } from '@parley-chat/service';
      const service = connectService({ url: '${server.url}', key: '${key}' });
      await service.as({ userId: ${ada.id} }).call('privateMessage', { receiverId: ${ada.id}, content: 'Hi' });
      await service.close();`;
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { cwd: folder });
    expect((await ada.client.push('privateMessage')).params.message).to.equal('Hi');
  });
});
