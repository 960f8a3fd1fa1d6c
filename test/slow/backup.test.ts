import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, chown, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { openDatabase } from '../../src/database/database.ts';
import type { Frame } from '../support/client.ts';
import {
  connectAs,
  database,
  databaseUrl,
  newUser,
  startServer,
  temporaryFolder,
  type User,
} from '../support/harness.ts';
import { findPostgres, type PostgresService, startPostgres } from '../support/postgres.ts';
import { until } from '../support/until.ts';

describe('the dump of docs/operations.md', function () {
  this.timeout(120_000);
  let postgres: PostgresService;
  let programs: string;
  let folder: string;

  before(async function () {
    const found = await findPostgres();
    if (!found) {
      console.log('      skipped: there is no PostgreSQL of the system here');
      return this.skip();
    }
    programs = found;
    postgres = await startPostgres(programs, ['-E', 'UTF8']);
    folder = await temporaryFolder();
    await chmod(folder, 0o755);
    await fillAndDump();
  });
  after(async () => {
    await postgres?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  /** Runs a command of the document in the folder. */
  async function run(program: string, DATABASE_URL: string): Promise<void> {
    const [command] =
      new RegExp(`^${program} .*$`, 'm').exec(readFileSync('docs/operations.md', 'utf8')) ?? [];
    const env = { PATH: `${programs}:${process.env.PATH}`, DATABASE_URL };
    await promisify(execFile)('bash', ['-c', command as string], { cwd: folder, env });
  }

  const urlOf = (name: string) => `postgres://postgres@127.0.0.1:${postgres.port}/${name}`;

  async function createDatabase(name: string): Promise<string> {
    const admin = openDatabase(urlOf('postgres'), 1);
    await admin.sequelize.query(`create database ${name}`).finally(() => admin.close());
    return urlOf(name);
  }

  /** A cursor of a user from before the dump, and one of messages that were written after it. */
  let bob: User;
  let ada: User;
  let cursors: { before: string; after: string };

  async function fillAndDump(): Promise<void> {
    const original = await createDatabase('original');
    const server = await startServer({ DATABASE_URL: original });
    [ada, bob] = [await newUser(server.url), await newUser(server.url)];
    const [a, b] = [await connectAs(ada.token, server.url), await connectAs(bob.token, server.url)];
    const position = async () => (await b.done('sync', { fromNow: true })).nextCursor;
    await a.done('privateMessage', { receiverId: bob.id, content: 'kept' });
    const before = await position();
    await run('pg_dump', original);
    await a.done('privateMessage', { receiverId: bob.id, content: 'lost' });
    cursors = { before, after: await position() };
    await server.close();
  }

  /** Writes a message on a restored database, and returns the messages that each cursor then brings. */
  async function syncedOn(restored: string): Promise<Record<string, string[]>> {
    await run('pg_restore', restored);
    const server = await startServer({ DATABASE_URL: restored });
    try {
      const [a, b] = [await connectAs(ada.token, server.url), await connectAs(bob.token, server.url)];
      await a.done('privateMessage', { receiverId: bob.id, content: 'new' });
      const texts: Record<string, string[]> = {};
      for (const [name, cursor] of Object.entries(cursors)) {
        const { data } = await b.done('sync', { cursor });
        texts[name] = data.flatMap(({ message }: Frame) => (message ? [message.content] : []));
      }
      return texts;
    } finally {
      await server.close();
    }
  }

  it('restored to another PostgreSQL, has everything, and all cursors start again', async () => {
    await database.sequelize.query('create database restored');
    const restored = Object.assign(new URL(databaseUrl()), { pathname: 'restored' }).href;
    const everything = ['kept', 'new'];
    expect(await syncedOn(restored)).to.deep.equal({ before: everything, after: everything });
  });

  it('restored to another database of the same PostgreSQL, hides nothing new from any cursor', async () => {
    const restored = await createDatabase('restored');
    expect(await syncedOn(restored)).to.deep.equal({ before: ['new'], after: ['new'] });
  });
});

describe('the base backup of docs/operations.md', function () {
  this.timeout(240_000);

  it('has with its WAL also what was written after it', async function () {
    const programs = await findPostgres();
    if (!programs || process.getuid?.() !== 0) {
      console.log('      skipped: there is no PostgreSQL of the system here, or this is not root');
      return this.skip();
    }
    const postgres = await startPostgres(programs, ['-E', 'UTF8'], 'archive_mode = on');
    const backups = await temporaryFolder();
    const owner = await stat(postgres.folder);
    await chown(backups, owner.uid, owner.gid);
    const environment = { PGHOST: '127.0.0.1', PGPORT: String(postgres.port), PGUSER: 'postgres' };

    /** Runs the block of the document that contains a text, or another script, as the user of the database. */
    const run = async (script: string, env = {}) => {
      const code = blocks.find((block) => block.includes(script)) ?? script;
      const placed = code.replaceAll('/backup', backups).replace('base-2026-01-31', 'base-*');
      const all = { PATH: `${programs}:${process.env.PATH}`, ...environment, ...env };
      const options = { cwd: backups, env: all, uid: owner.uid, gid: owner.gid };
      return (await promisify(execFile)('bash', ['-ec', placed], options)).stdout;
    };
    const query = (statement: string) => run(`psql -Atqc "${statement}"`);

    await query('create table kept (n int)');
    await run('pg_basebackup');
    await query('select pg_reload_conf()');
    await query('insert into kept values (1)');
    const wal = (await query('select pg_walfile_name(pg_current_wal_lsn())')).trim();
    await query('select pg_switch_wal()');
    // The archiver looks for segments once a minute, also after an attempt that failed.
    // Its file is there before it is complete, and PostgreSQL refuses to start from a part of it.
    await until(
      async () => (await query('select last_archived_wal from pg_stat_archiver')).trim() >= wal,
      100_000,
    );
    await postgres.stop();

    const PGDATA = join(backups, 'restored');
    await run('recovery.signal', { PGDATA });
    await run(`pg_ctl -w -l ${backups}/log start || { cat ${backups}/log >&2; exit 1; }`, { PGDATA });
    try {
      await until(async () => (await query('select pg_is_in_recovery()')).trim() === 'f');
      expect((await query('select n from kept')).trim()).to.equal('1');
    } finally {
      await run('pg_ctl -w -m immediate stop', { PGDATA });
    }
  });
});

/** The blocks of shell commands in the document. */
const blocks = [...readFileSync('docs/operations.md', 'utf8').matchAll(/^```sh\n(.*?)^```/gms)].map(
  ([, code = '']) => code,
);
