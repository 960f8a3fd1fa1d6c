import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Client } from '../support/client.ts';
import {
  connectAs,
  database,
  databaseUrl,
  http,
  newGroup,
  newUser,
  temporaryFolder,
  type User,
} from '../support/harness.ts';
import { type ServerProcess, startProcess } from '../support/process.ts';
import { until } from '../support/until.ts';

const MAIN = fileURLToPath(new URL('../../dist/admin/main.js', import.meta.url));

describe('admin database move', function () {
  this.timeout(120_000);
  let folder: string;
  let running: ServerProcess | undefined;
  let ada: User;
  let bob: User;
  let groupId: number;
  let cursor: string;

  /** Fills an embedded database, whose server is still running. */
  before(async () => {
    folder = await temporaryFolder();
    const { url } = await start({});
    [ada, bob] = [await newUser(url), await newUser(url)];
    const [a, b] = await people(url);
    groupId = await newGroup(a, bob);
    for (const content of ['one', 'two apples', 'three'])
      await a.done('messageInGroup', { groupId, content });
    await a.done('privateMessage', { receiverId: bob.id, content: 'an apple for Bob' });
    await b.done('markRead', { groupId, seq: 3 });
    await until(async () => (await found(b)).length === 2);
    cursor = (await b.done('sync', { fromNow: true })).nextCursor;
  });
  after(async () => {
    await running?.stop('SIGTERM');
    await rm(folder, { recursive: true, force: true });
  });

  async function start(env: Record<string, string>): Promise<ServerProcess> {
    running = await startProcess({ DATA_DIR: folder, ...env });
    return running;
  }
  const people = async (url: string) =>
    (await Promise.all([ada, bob].map(({ token }) => connectAs(token, url)))) as [Client, Client];
  const found = async (client: Client): Promise<string[]> =>
    (await client.done('searchMessages', { query: 'apple' })).data
      .map(({ content }: { content: string }) => content)
      .sort();
  const chats = async (client: Client) => (await client.done('listLastMessage')).data;

  const move = (url: string, dataDir = folder) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const env = { PATH: process.env.PATH, HOME: process.env.HOME, DATA_DIR: dataDir };
      execFile(process.execPath, [MAIN, 'database', 'move', url], { env }, (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
      );
    });

  it('refuses while a server uses the folder, an empty folder, and a URL that is none', async () => {
    const used = await move(databaseUrl());
    expect([used.code, used.stdout]).to.deep.equal([1, '']);
    expect(used.stderr).to.match(/^\S+ is in use by another server \(process \d+\)\. Stop it[^\n]*\n$/);
    const empty = await temporaryFolder();
    const none = await move(databaseUrl(), empty);
    expect([none.code, none.stderr]).to.deep.equal([
      1,
      `DATA_DIR is "${empty}", which contains no embedded database; expected that of a server without DATABASE_URL\n`,
    ]);
  });

  it('moves accounts, messages, search, unread counts and tokens into another PostgreSQL', async () => {
    const before = await chats((await people(running?.url as string))[1]);
    await running?.stop('SIGTERM');
    const wrong = await move('mysql://root@localhost/parley');
    expect([wrong.code, wrong.stdout]).to.deep.equal([2, '']);
    expect(wrong.stderr).to.match(/^<url> has the scheme "mysql:"; expected a URL like postgres:/);

    await database.sequelize.query('create database moved');
    const target = Object.assign(new URL(databaseUrl()), { pathname: 'moved' }).href;
    const { code, stdout, stderr } = await move(target);
    expect([code, stderr]).to.deep.equal([0, '']);
    expect(stdout).to.match(/^users: 2 rows$/m);
    expect(stdout).to.match(
      /\n\nEverything was copied\. Set DATABASE_URL to the URL of this command, .* Set JWT_SECRET to the content of \S+\/jwt-secret, or keep this file\. .*\n$/,
    );

    const { url } = await start({ DATABASE_URL: target });
    const [a, b] = await people(url); // with the tokens from before
    const { username, password } = ada;
    expect((await http('POST', '/auth/login', { body: { username, password }, url })).status).to.equal(200);
    expect(await found(b)).to.deep.equal(['an apple for Bob', 'two apples']);
    expect(await chats(b)).to.deep.equal(before);

    const again = await b.done('sync', { cursor });
    expect(again.data.filter(({ kind }: { kind: string }) => kind === 'message')).to.have.length.at.least(4);
    const nothing = await b.done('sync', { cursor: again.nextCursor });
    expect(nothing.data).to.deep.equal([]);
    await a.done('messageInGroup', { groupId, content: 'after the move' });
    const { data } = await b.done('sync', { cursor: nothing.nextCursor });
    expect(data.map(({ message }: { message?: { content: string } }) => message?.content)).to.include(
      'after the move',
    );
    expect((await newUser(url)).id).to.be.greaterThan(bob.id);
    const repeated = await move(target);
    expect([repeated.code, repeated.stdout]).to.deep.equal([1, '']);
    expect(repeated.stderr).to.match(/^The target contains accounts already\./);
  });
});
