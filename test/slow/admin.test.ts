import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { database, databaseUrl, newUser, temporaryFolder } from '../support/harness.ts';
import { startProcess } from '../support/process.ts';

/** The built command line, which starts much faster than from the sources. */
const MAIN = fileURLToPath(new URL('../../dist/admin/main.js', import.meta.url));
const MIGRATE = fileURLToPath(new URL('../../dist/database/migrate.js', import.meta.url));

/** Runs a command as an operator does. */
const run = (env: Record<string, string>, ...args: string[]) => runFile(MAIN, env, ...args);

function runFile(file: string, env: Record<string, string>, ...args: string[]) {
  const all = { PATH: process.env.PATH, HOME: process.env.HOME, ...env };
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [file, ...args], { env: all }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

describe('the operator’s command line as a process', function () {
  this.timeout(180_000);

  it('prints its usage, exits with 1 after a refusal, and with 2 after wrong arguments', async () => {
    const on = (...args: string[]) => run({ DATABASE_URL: databaseUrl() }, ...args);
    const help = await on();
    expect([help.code, help.stderr]).to.deep.equal([0, '']);
    expect(help.stdout).to.include('user disable <user>');
    const wrong = await on('user', 'vanish');
    expect([wrong.code, wrong.stdout]).to.deep.equal([2, '']);
    expect(wrong.stderr).to.match(/^There is no command "user vanish"/);
    const incomplete = await on('user', 'show');
    expect(incomplete.stderr.match(/^ {2}\w.*/gm)).to.deep.equal(['  user show <user>']);
    const nothing = await on('user', 'export', 'nobody-of-that-name');
    expect(nothing).to.deep.equal({ code: 1, stdout: '', stderr: 'There is no user nobody-of-that-name\n' });
    const { id, username } = await newUser();
    const shown = await on('user', 'show', username);
    expect([shown.code, shown.stderr, JSON.parse(shown.stdout).id]).to.deep.equal([0, '', id]);
  });

  it('refuses a database without tables in one line', async () => {
    await database.sequelize.query('create database without_tables');
    const url = Object.assign(new URL(databaseUrl()), { pathname: 'without_tables' }).href;
    const { code, stdout, stderr } = await run({ DATABASE_URL: url }, 'user', 'list');
    expect([code, stdout]).to.deep.equal([1, '']);
    expect(stderr).to.match(/^The database has no tables yet\. Start the server[^\n]*\n$/);
  });

  it('refuses a folder without a database in one line, and creates none', async () => {
    const folder = await temporaryFolder();
    const { code, stdout, stderr } = await run({ DATA_DIR: folder }, 'user', 'list');
    expect([code, stdout]).to.deep.equal([1, '']);
    expect(stderr).to.match(/^DATA_DIR is "[^"]+", which contains no embedded database; expected [^\n]+\n$/);
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it('works beside a running server with the embedded database, and without one', async () => {
    const folder = await temporaryFolder();
    const process = await startProcess({ DATA_DIR: folder });
    const ada = await newUser(process.url);
    const client = await ada.connect();
    const beside = await run({ DATA_DIR: folder }, 'user', 'disable', ada.username);
    expect([beside.code, beside.stderr]).to.deep.equal([0, '']);
    expect(await client.closed).to.equal(4401);
    const migrations = await runFile(MIGRATE, { DATA_DIR: folder }, 'status');
    expect([migrations.code, migrations.stderr]).to.deep.equal([0, '']);
    expect(migrations.stdout).to.include('pending: none');
    await process.stop('SIGTERM');
    const alone = await run({ DATA_DIR: folder }, 'user', 'list');
    expect(JSON.parse(alone.stdout)[0].username).to.equal(ada.username);
    await rm(folder, { recursive: true, force: true });
  });

  it('reports a wrong configuration in one line, and prints the usage of the migrations', async () => {
    for (const [file, words, reason] of [
      [MAIN, ['user', 'list'], 'contains no embedded database'],
      [MIGRATE, ['status'], 'cannot be created'],
    ] as const) {
      const { code, stderr } = await runFile(file, { DATA_DIR: '/proc/parley' }, ...words);
      expect(code).to.equal(1);
      expect(stderr).to.match(new RegExp(`^DATA_DIR is "/proc/parley", which ${reason}[^\\n]*\\n$`));
    }
    const { code, stderr } = await runFile(MIGRATE, {}, 'stats');
    expect([code, stderr]).to.deep.equal([1, 'Unknown action "stats"; expected start, undo, status\n']);
  });
});
