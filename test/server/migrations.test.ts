import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import pg from 'pg';
import type { Logger } from 'pino';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { compatibleFrom } from '../../src/database/migrationFiles.ts';
import { migrate, migrationStatus, undoMigration } from '../../src/database/migrations.ts';
import { StartError } from '../../src/protocol/errors.ts';
import { database, databaseUrl } from '../support/harness.ts';
import { until } from '../support/until.ts';

function urlOf(): string {
  const url = new URL(databaseUrl());
  url.pathname = '/migrations_test';
  return url.href;
}

const FOLDER = fileURLToPath(new URL('../../migrations', import.meta.url));
const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.sql'))
  .map((file) => file.replace('.sql', ''))
  .sort();
const newest = Number.parseInt(names.at(-1) ?? '', 10);

describe('the SQL of a migration', () => {
  it('states in a directive which version nodes have to know from then on', () => {
    expect(compatibleFrom('-- compatible from: 0020\nalter table x drop column y;\n')).to.equal(20);
    expect(compatibleFrom('-- Drops y.\n-- compatible from: 7\nselect 1;')).to.equal(7);
    for (const sql of [
      'select 1;',
      'select 1; -- compatible from: 0020',
      '  -- compatible from: 0020',
      '-- compatible from: 0020, which reads no y',
      '-- compatible from: the next one',
    ])
      expect(compatibleFrom(sql), sql).to.equal(0);
  });
});

describe('the migrations', function () {
  this.timeout(60_000);
  let fresh: Database;

  beforeEach(async () => {
    await database.sequelize.query('create database migrations_test');
    fresh = openDatabase(urlOf(), 5);
  });
  afterEach(async () => {
    await fresh.close();
    await database.sequelize.query('drop database migrations_test');
  });

  const tables = async () => {
    const [rows] = await fresh.sequelize.query(
      `select table_name from information_schema.tables where table_schema = 'public' order by 1`,
    );
    return (rows as { table_name: string }[]).map(({ table_name }) => table_name);
  };

  it('create the schema, and revert every step of it', async () => {
    expect(await migrationStatus(fresh)).to.deep.equal({
      executed: [],
      pending: names,
      underWay: undefined,
      schema: undefined,
    });
    expect(await migrate(fresh)).to.deep.equal(names);
    expect(await migrate(fresh)).to.deep.equal([]);
    expect(await tables()).to.include.members(['users', 'chats', 'chat_members', 'messages']);

    for (const name of names.toReversed()) expect(await undoMigration(fresh)).to.deep.equal([name]);
    expect(await undoMigration(fresh)).to.deep.equal([]);
    expect(await tables()).to.deep.equal(['migration_progress', 'migrations']);
    expect(await migrate(fresh)).to.deep.equal(names);
  });

  it('refuse rows that violate the rules of chats and members, and no others', async () => {
    await migrate(fresh);
    const [ada, bob] = await fresh.execute<{ id: number }>(
      `insert into users (email, username, password_hash)
       select name, name, '-' from unnest(array['ada', 'bob']) as name returning id`,
      [],
    );
    const chat = (fields: object) => {
      const row = { created_by: ada?.id, ...fields };
      const places = Object.keys(row).map((_, index) => `$${index + 1}`);
      return fresh.execute<{ id: number }>(
        `insert into chats (${Object.keys(row)}) values (${places}) returning id`,
        Object.values(row),
      );
    };
    const group = { kind: 'group', name: 'Climbers' };
    const dialog = { kind: 'dialog', user_low: ada?.id, user_high: bob?.id };
    const [made] = await chat(group);
    const ruleOf = async (work: Promise<unknown>) => {
      const { code, constraint } = (await refusal(work)) as pg.DatabaseError;
      expect(code).to.equal('23514');
      return constraint;
    };
    const cases = {
      chats_dialog_or_group: [
        { kind: 'channel', name: 'News' },
        { kind: 'group' },
        { ...group, user_low: ada?.id },
        { ...dialog, name: 'Notes' },
        { ...dialog, user_low: bob?.id, user_high: ada?.id },
        { kind: 'dialog', user_low: ada?.id },
      ],
      chats_settings: [
        { ...group, who_may_add: 'nobody' },
        { ...group, who_may_post: 'owner' },
        { ...group, slow_mode_seconds: -1 },
        { ...group, history_from: 'yesterday' },
      ],
    };
    for (const [rule, rows] of Object.entries(cases))
      for (const row of rows) expect(await ruleOf(chat(row)), JSON.stringify(row)).to.equal(rule);

    await chat(dialog);
    const change = (set: string) => fresh.execute(`update chats set ${set} where id = $1`, [made?.id]);
    expect(await ruleOf(change(`who_may_post = 'owner'`))).to.equal('chats_settings');
    expect(await ruleOf(change('name = null'))).to.equal('chats_dialog_or_group');
    await change(`who_may_post = 'admins', name = 'Hikers', slow_mode_seconds = 10, last_seq = 1`);

    const join = 'insert into chat_members (chat_id, user_id, role) values ($1, $2, $3)';
    expect(await ruleOf(fresh.execute(join, [made?.id, ada?.id, 'king']))).to.equal('chat_members_role');
    await fresh.execute(join, [made?.id, ada?.id, 'owner']);
    const promote = fresh.execute(`update chat_members set role = 'king'`, []);
    expect(await ruleOf(promote)).to.equal('chat_members_role');
  });

  it('run once when several nodes start at the same time', async () => {
    const runs = await Promise.all([migrate(fresh), migrate(fresh), migrate(fresh)]);
    expect(runs.flat().sort()).to.deep.equal(names);
  });

  const refusal = (running: Promise<unknown>): Promise<Error> =>
    running.then(
      () => expect.fail('it was not refused'),
      (error) => error,
    );
  const setVersion = (version: number, compat: number) =>
    fresh.execute('update schema_version set version = $1, compat_version = $2', [version, compat]);

  it('store the version of the schema, and the lowest version that a server has to know', async () => {
    await migrate(fresh);
    expect((await migrationStatus(fresh)).schema).to.deep.equal({ version: newest, compatVersion: 16 });
  });

  it('accept a newer schema that works with this server, and refuse one that does not', async () => {
    await migrate(fresh);
    await setVersion(newest + 5, newest);
    await fresh.execute('delete from migrations where name = $1', [names.at(-1)]); // it would run again
    expect(await migrate(fresh)).to.deep.equal([]);
    expect((await refusal(undoMigration(fresh))).message).to.match(/newest migration is unknown/);

    await setVersion(newest + 5, newest + 3);
    const error = await refusal(migrate(fresh));
    expect(error).to.be.instanceOf(StartError);
    expect(error.message).to.equal(
      `The database has schema version ${newest + 5}, which works with servers that know version ${newest + 3} or later; this one knows ${newest}. Start a newer version of the server.`,
    );
  });

  describe('beside a transaction that holds a table', () => {
    let reader: pg.Client;
    /** A migration that reads users. */
    const reading = '0014_version_and_deletions';

    beforeEach(async () => {
      await migrate(fresh);
      while ((await undoMigration(fresh))[0] !== reading); // so that there is a migration to run
      reader = new pg.Client({ connectionString: urlOf(), application_name: 'a long report' });
      await reader.connect();
      await reader.query('begin');
      await reader.query('lock table users in access exclusive mode');
    });
    afterEach(() => reader.end());

    it('yield to the statements that wait after them, and run when it has ended', async () => {
      const patient = { timeout: 60_000 };
      const running = migrate(fresh, patient);
      await until(async () => (await waiting()) === 1);
      await until(async () => (await waiting()) === 0); // it has released its lock
      await reader.query('commit');
      expect(await running).to.deep.equal(names.slice(names.indexOf(reading)));
    });

    it('fail with its name when it does not end', async () => {
      const error = await refusal(migrate(fresh, { timeout: 1 }));
      expect(error).to.be.instanceOf(StartError);
      expect(error.message).to.match(
        /^The schema could not be migrated within 0\.001 s: other transactions keep its tables locked \(process \d+ "a long report", idle in transaction for \d+ s\)\./,
      );
    });

    const waiting = async () =>
      (
        await fresh.query(
          `select from pg_stat_activity where application_name = 'parley migration' and wait_event_type = 'Lock'`,
          [],
        )
      ).length;
  });

  it('release the lock on a table for which others wait because of another migration', async () => {
    await migrate(fresh);
    while ((await undoMigration(fresh))[0] !== '0022_search_words');
    const holder = new pg.Client(urlOf());
    await holder.connect();
    await holder.query('begin');
    await holder.query('lock table chats in access share mode');
    await refusal(migrate(fresh, { timeout: 1 })); // 0022 is done, and 0023 needs chats
    await holder.query('commit');
    const pending = names.slice(names.indexOf('0023_checks_of_hot_rows'));
    expect((await migrationStatus(fresh)).pending).to.deep.equal(pending);
    expect(await migrate(fresh)).to.deep.equal(pending);
    await holder.end();
  });

  it('wait for another migrating node for a limited time, and then report it', async () => {
    const other = new pg.Client(urlOf());
    await other.connect();
    await other.query('begin');
    await other.query('select pg_advisory_xact_lock(7275391)');
    const error = await refusal(migrate(fresh, { timeout: 1 }));
    expect(error.message).to.match(/^The schema could not .*: another node is migrating it \(process \d+ /);
    const warnings: { reason: string; blockers: string[] }[] = [];
    const log = { warn: (fields: (typeof warnings)[0]) => warnings.push(fields) } as unknown as Logger;
    const running = migrate(fresh, { log });
    await until(async () => warnings.length > 0);
    await other.query('commit');
    expect(await running).to.deep.equal(names);
    expect(warnings.map(({ reason }) => reason)).to.deep.equal(['another node is migrating it']);
    expect(warnings[0]?.blockers).to.match(/^process \d+ "", idle in transaction for \d+ s$/);
    await other.end();
  });
});
