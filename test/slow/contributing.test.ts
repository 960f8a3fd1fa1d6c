import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { Command } from '../../src/commands/define.ts';
import { registry } from '../../src/commands/registry.ts';
import { database, newClients } from '../support/harness.ts';

/** Returns the first block of code after a text. */
function blockOf(markdown: string, mention: string): string {
  const [, block = ''] = /^```\w+\n(.*?)^```/ms.exec(markdown.slice(markdown.indexOf(mention))) ?? [];
  return block;
}

describe('the example of CONTRIBUTING.md', function () {
  this.timeout(120_000);
  const known = registry as Map<string, Command>;
  let folder: string;
  let markdown: string;

  /** Adds a command to the server as it stands in the document. */
  async function add(name: 'noteUser' | 'listNotes'): Promise<void> {
    const file = join(folder, `${name}.ts`);
    const block = blockOf(markdown, `\`${name}.ts\``);
    const root = block.replaceAll(`'../`, `'../../src/`).replaceAll(`'./`, `'../../src/commands/`);
    await writeFile(file, root);
    const { [name]: command } = await import(pathToFileURL(resolve(file)).href);
    known.set(name, command);
  }

  before(async () => {
    markdown = await readFile('CONTRIBUTING.md', 'utf8');
    await mkdir('dist', { recursive: true });
    folder = await mkdtemp('dist/example-');
    await database.execute(blockOf(markdown, '`_notes.sql`'), []);
    await add('noteUser');
    await add('listNotes');
  });

  after(async () => {
    for (const name of ['noteUser', 'listNotes']) known.delete(name);
    await database.execute(blockOf(markdown, '(migrations/down)'), []);
    await rm(folder, { recursive: true });
  });

  it('compiles as a part of the server', async () => {
    const compilerOptions = {
      composite: false,
      noEmit: true,
      rewriteRelativeImportExtensions: false,
      rootDir: '.',
    };
    const project = {
      extends: '../../src/tsconfig.json',
      compilerOptions,
      include: ['.'],
      exclude: [],
      references: [{ path: '../../src' }], // built already
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(project));
    const { stdout } = await promisify(execFile)('npx', ['tsc', '-p', folder]).catch((error) => error);
    expect(stdout).to.equal('');
  });

  it('stores a note, and pushes it to the other connections of the user, once', async () => {
    const [ada, bob] = await newClients(2);
    const device = await ada.connect();
    for (let times = 0; times < 2; times++)
      await ada.client.done('noteUser', { userId: bob.id, note: 'Paid' });
    const pushes = await device.rest();
    expect(pushes.map(({ type }) => type)).to.deep.equal(['noteUser']);
    expect(pushes[0]?.params).to.include({ userId: bob.id, note: 'Paid' });
    expect([...(await ada.client.rest()), ...(await bob.client.rest())]).to.deep.equal([]);
    expect((await ada.client.done('listNotes')).data).to.have.length(1);
    await ada.client.done('noteUser', { userId: bob.id, note: null });
    expect((await ada.client.done('listNotes')).data).to.deep.equal([]);
  });

  it('refuses a user who does not exist, and an empty note', async () => {
    const [ada, bob] = await newClients(2);
    expect(await ada.client.refused('noteUser', { userId: 2 ** 40, note: 'x' })).to.equal('NOT_FOUND');
    expect(await ada.client.refused('noteUser', { userId: bob.id, note: '' })).to.equal('BAD_REQUEST');
  });
});
