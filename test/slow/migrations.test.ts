import { readdirSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import pg from 'pg';
import type { Logger } from 'pino';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { compatibleFrom } from '../../src/database/migrationFiles.ts';
import { migrate, migrationStatus, undoMigration } from '../../src/database/migrations.ts';
import { StartError } from '../../src/protocol/errors.ts';
import { database, databaseUrl, temporaryFolder } from '../support/harness.ts';
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

  it('fill new columns and tables from the rows that exist', async () => {
    const folder = await temporaryFolder();
    /** Migrates up to a version, as an earlier release does. */
    const migrateTo = async (version: number) => {
      const known = names.filter((name) => Number.parseInt(name, 10) <= version);
      await Promise.all(
        known.map((name) => copyFile(join(FOLDER, `${name}.sql`), join(folder, `${name}.sql`))),
      );
      await migrate(fresh, { folder });
    };
    const run = (...statements: string[]) => fresh.sequelize.query(statements.join(';'));
    const rows = (statement: string) => fresh.query(statement, []);

    await migrateTo(4);
    await run(
      `insert into users (email, username, password_hash) select name, name, '-' from unnest(array['ada', 'bob', 'cleo']) name`,
      `insert into chats (kind, name, created_by, last_seq) values ('group', 'Climbers', 1, 10004)`,
      `insert into chats (kind, user_low, user_high, created_by, last_seq) values ('dialog', 1, 2, 1, 2), ('dialog', 1, 3, 1, 0)`,
      `insert into chat_members (chat_id, user_id) values (1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 3)`,
      `insert into messages (chat_id, seq, sender_id, kind, content)
       select 1, seq, 1, case seq when 2 then 'system' else 'text' end, 'hi' from generate_series(1, 10004) seq`, // more than a slice
      `insert into messages (chat_id, seq, sender_id, kind, content) values (2, 1, 1, 'text', 'hi'), (2, 2, 2, 'text', 'hi')`,
    );
    await migrateTo(13);
    expect(
      await rows('select id, member_count, last_message_id, tally from chats order by id'),
    ).to.deep.equal([
      { id: 1, member_count: 2, last_message_id: 10_004, tally: 10_003 },
      { id: 2, member_count: 2, last_message_id: 10_006, tally: 2 },
      { id: 3, member_count: 2, last_message_id: 0, tally: 0 },
    ]);
    const wrongTally =
      'select seq from messages where tally <> case chat_id when 1 then seq - (seq > 1)::int else seq end';
    expect(await rows(wrongTally)).to.deep.equal([]);
    const positions = `select read_seq, delivered_seq, read_tally from chat_members where user_id = 1 order by chat_id`;
    expect(await rows(positions)).to.deep.equal([
      { read_seq: 10_004, delivered_seq: 10_004, read_tally: 10_003 },
      { read_seq: 2, delivered_seq: 2, read_tally: 2 },
      { read_seq: 0, delivered_seq: 0, read_tally: 0 },
    ]);

    await run(
      'insert into users (deleted_at) select now() from generate_series(4, 7)',
      `insert into chats (kind, name, created_by, closed_at) values ('group', 'Hikers', 1, now())`,
      `insert into chats (kind, user_low, user_high, created_by) values ('dialog', 1, 7, 1)`,
      'insert into chat_members (chat_id, user_id) values (1, 5), (4, 6), (5, 7)',
      `insert into sessions (user_id, node_id, address) select id, gen_random_uuid(), '' from unnest(array[1, 4]) id`,
    );
    await migrateTo(17);
    expect(await rows('select user_id from deletions order by 1')).to.deep.equal([
      { user_id: 4 },
      { user_id: 5 },
    ]);
    expect(await rows('select message_id, folded from message_search')).to.deep.equal([
      { message_id: 1, folded: 'hi' },
    ]);

    await run(
      'update chat_members set read_seq = user_id - 1, delivered_seq = user_id',
      'insert into blocks (user_id, blocked_id) values (2, 1)',
    );
    await migrateTo(28);
    const shown = `
select chat_id, user_id, shown_read_seq as read, shown_delivered_seq as delivered, shown_xid = state_xid as is_same
from chat_members where shown_xid is not null or shown_read_seq is not null order by user_id`;
    expect(await rows(shown)).to.deep.equal([
      { chat_id: 2, user_id: 1, read: 0, delivered: 1, is_same: true },
      { chat_id: 2, user_id: 2, read: 1, delivered: 2, is_same: true },
    ]);

    await run(
      'update messages set silent = true where chat_id = 1 and seq = 7',
      'update messages set deleted_at = now() where chat_id = 1 and seq in (2, 5, 7, 4095, 4096) or chat_id = 2 and seq = 2',
    );
    expect(await migrate(fresh)).to.deep.equal(names.slice(names.indexOf('0029_deleted_messages')));
    expect(await rows('select * from deleted_messages order by chat_id, part')).to.deep.equal([
      { chat_id: 1, part: 0, count: 2 },
      { chat_id: 1, part: 1, count: 1 },
      { chat_id: 2, part: 0, count: 1 },
    ]);
  });

  it('return the members of a deleted group to a release that knows no deleted groups with members', async () => {
    await migrate(fresh);
    while ((await undoMigration(fresh))[0] !== '0029_deleted_messages');
    await fresh.sequelize.query(`
insert into users (email, username, password_hash) select name, name, '-' from unnest(array['ada', 'bob']) name;
insert into chats (kind, name, created_by, last_seq, closed_at) values ('group', 'Climbers', 1, 7, now()), ('group', 'Hikers', 1, 3, null);
insert into closures (chat_id) values (1);
insert into chat_members (chat_id, user_id) values (1, 1), (1, 2), (2, 1);
insert into former_members (chat_id, user_id, left_seq) values (1, 2, 4), (2, 2, 2)`);
    expect(await undoMigration(fresh)).to.deep.equal(['0028_closures']);
    const rows = (statement: string) => fresh.query(statement, []);
    expect(await rows('select chat_id, user_id from chat_members')).to.deep.equal([
      { chat_id: 2, user_id: 1 },
    ]);
    const former = `
select chat_id, user_id, left_seq, former.xid = changed_xid and left_at = closed_at as is_of_closing
from former_members former join chats on chats.id = chat_id order by 1, 2`;
    expect(await rows(former)).to.deep.equal([
      { chat_id: 1, user_id: 1, left_seq: 7, is_of_closing: true },
      { chat_id: 1, user_id: 2, left_seq: 7, is_of_closing: true },
      { chat_id: 2, user_id: 2, left_seq: 2, is_of_closing: null },
    ]);
  });

  describe('note what other programs change', () => {
    /** A connection without the settings of the server. */
    let other: pg.Client;

    beforeEach(async () => {
      await migrate(fresh);
      other = new pg.Client(urlOf());
      await other.connect();
      await other.query(`
insert into users (email, username, display_name, password_hash, email_folded, username_folded, username_search, display_name_search)
select name, name, name, '-', name, name, name, name from unnest(array['ada', 'bob', 'cleo']) name;
insert into chats (kind, name, name_folded, name_search, created_by)
select 'group', name, name, name, 1 from unnest(array['climbers', 'hikers']) name;
insert into chats (kind, user_low, user_high, created_by) values ('dialog', 1, 2, 1), ('dialog', 1, 3, 1), ('dialog', 2, 3, 2), ('dialog', 1, 1, 1)`);
    });
    afterEach(() => other.end());

    it('of names: exactly those folded names are to be filled again, and sync finds new usernames', async () => {
      const named = ['email_folded', 'username_folded', 'username_search'];
      for (const [set, emptied, isRenamed] of [
        [`username = 'new'`, named, true],
        [`email = 'new'`, named, false],
        [`display_name = 'new'`, ['display_name_search'], false],
        [`username = username, email = email, display_name = display_name`, [], false],
        [`about = 'new'`, [], false],
      ] as const) {
        await other.query('begin');
        await other.query(`update users set ${set} where id = 1`);
        const { rows } = await other.query(
          'select *, name_xid is not null as is_renamed from users order by id',
        );
        await other.query('rollback');
        const empty = (row: object) =>
          Object.entries(row).flatMap(([name, value]) =>
            /_(folded|search)$/.test(name) && value === null ? [name] : [],
          );
        expect(empty(rows[0]), set).to.have.members(emptied);
        expect(rows[0].is_renamed, set).to.equal(isRenamed);
        for (const row of rows.slice(1)) expect([empty(row), row.is_renamed], set).to.deep.equal([[], false]);
      }
      const folded = `update users set username = 'own', username_folded = 'own' where id = 2 returning username_folded, username_search`;
      expect(await fresh.execute(folded, [])).to.deep.equal([
        { username_folded: 'own', username_search: 'bob' },
      ]);
    });

    it('of names of groups', async () => {
      const names = 'select name, name_folded, name_search from chats where id <= 2 order by id';
      const hikers = { name: 'hikers', name_folded: 'hikers', name_search: 'hikers' };
      await other.query(`update chats set name = name, description = 'steep' where id = 1`);
      expect((await other.query(names)).rows[0].name_folded).to.equal('climbers');
      await other.query(`update chats set name = 'new' where id = 1`);
      expect((await other.query(names)).rows).to.deep.equal([
        { name: 'new', name_folded: null, name_search: null },
        hikers,
      ]);
      await fresh.execute(`update chats set name = 'own', name_folded = 'own' where id = 2`, []);
      expect((await other.query(names)).rows[1]).to.deep.equal({
        ...hikers,
        name: 'own',
        name_folded: 'own',
      });
    });

    it('of blocks: the rules of the dialog of the two are newer, and of no other chat', async () => {
      const raised = async () =>
        (await other.query('select id from chats where rules_version > 0 order by id')).rows.map(
          ({ id }) => id,
        );
      await other.query('insert into blocks (user_id, blocked_id) values (3, 1)');
      expect(await raised()).to.deep.equal([4]);
      await other.query('insert into blocks (user_id, blocked_id) values (1, 2)');
      expect(await raised()).to.deep.equal([3, 4]);
    });

    it('of entries of the search index, except those that the indexer renews', async () => {
      await other.query(`
insert into message_search (message_id, chat_id, seq, document, folded)
select seq, 1, seq, to_tsvector('simple', 'hi'), 'hi' from generate_series(1, 3) seq`);
      const noted = async () =>
        (await other.query('select seq from message_search_changed order by seq')).rows.map(({ seq }) => seq);
      expect(await noted()).to.deep.equal([]);
      for (let times = 0; times < 2; times++)
        await other.query(`update message_search set folded = 'ho' where seq = 2`);
      await other.query(`select set_config('parley.renews_entries', 'on', false)`);
      await other.query(`update message_search set folded = 'ho' where seq = 3`);
      expect(await noted()).to.deep.equal([2]);
    });

    it('of deleted messages that counted as unread, each once', async () => {
      await other.query(`
insert into messages (chat_id, seq, sender_id, kind, content, silent)
select chat_id, seq, 1, case seq when 2 then 'system' else 'text' end, 'hi', seq = 3
from generate_series(1, 2) chat_id, unnest(array[1, 2, 3, 4095, 4096]) seq`);
      await other.query('update messages set edited_at = now()');
      for (let times = 0; times < 2; times++)
        await other.query('update messages set deleted_at = now() where chat_id = 1');
      const { rows } = await other.query('select * from deleted_messages order by chat_id, part');
      expect(rows).to.deep.equal([
        { chat_id: 1, part: 0, count: 2 },
        { chat_id: 1, part: 1, count: 1 },
      ]);
    });
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
