import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import pg from 'pg';
import { pino } from 'pino';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { FOLDER, namesIn, partsOf, sqlOf } from '../../src/database/migrationFiles.ts';
import {
  type MigrationOptions,
  migrate,
  migrationStatus,
  undoMigration,
} from '../../src/database/migrations.ts';
import { StartError } from '../../src/protocol/errors.ts';
import { database, databaseUrl, temporaryFolder } from '../support/harness.ts';
import { until } from '../support/until.ts';

describe('the parts of a migration', () => {
  it('begin with directives that say how they run', () => {
    const sql = `-- Pages.
alter table t add pages integer;
-- in slices of 5000 by t (chat_id, seq)
-- Why so.
update t set pages = 1 where (chat_id, seq) > ($1, $2) and (chat_id, seq) <= ($3, $4);

-- concurrently
-- One; by pages.
create index concurrently t_pages on t (pages)
  where pages > 0;
drop index concurrently if exists t_old;
-- in one transaction
create function f() returns int language sql as $$ select 1; $$;
select f();
`;
    const parts = partsOf(sql);
    expect(parts.map(({ kind }) => kind)).to.deep.equal([
      'transaction',
      'slices',
      'concurrently',
      'transaction',
    ]);
    expect(parts[1]).to.deep.include({ size: 5000, table: 't', key: ['chat_id', 'seq'] });
    const { statements } = parts[2] as { statements: readonly string[] };
    expect(statements.map((statement) => statement.trim())).to.deep.equal([
      '-- One; by pages.\ncreate index concurrently t_pages on t (pages)\n  where pages > 0',
      'drop index concurrently if exists t_old',
    ]);
    expect(parts[3]).to.deep.include({
      sql: '\ncreate function f() returns int language sql as $$ select 1; $$;\nselect f();\n',
    });
    expect(partsOf('-- concurrently\ncreate index concurrently i on t (a);').length).to.equal(1);
  });

  it('are refused when a directive is incomplete', () => {
    for (const head of ['-- in slices of many by t (id)', '-- in slices', '-- concurrently with others'])
      expect(() => partsOf(`${head}\nselect 1;`), head).to.throw(head);
  });
});

describe('the migrations of this server', () => {
  it('create indexes of existing tables concurrently, and each can be repeated', async () => {
    const names = await namesIn(FOLDER);
    for (const file of names.flatMap((name) => [name, `down/${name}`])) {
      const sql = await sqlOf(FOLDER, file);
      const made = [...sql.matchAll(/^create table (\w+)/gm)].map(([, table]) => table);
      for (const part of partsOf(sql)) {
        if (part.kind === 'transaction')
          for (const [statement, table] of part.sql.matchAll(/^create (?:unique )?index \w+ on (\w+)/gm))
            expect(made, `${file}: ${statement}`).to.include(table);
        if (part.kind === 'concurrently')
          for (const statement of part.statements)
            expect(statement.replaceAll(/^--.*$/gm, '').trim(), file).to.match(
              /^(create (unique )?index|drop index) concurrently( if (not )?exists)? /,
            );
      }
    }
  });
});

describe('a migration in parts', function () {
  this.timeout(60_000);
  let folder: string;
  let db: Database;
  /** Another connection, with a transaction of its own. */
  let other: pg.Client;
  const lines: Record<string, unknown>[] = [];
  const log = pino({}, { write: (line) => lines.push(JSON.parse(line)) });

  const urlOf = () => databaseUrl().replace(/\/[^/?]*(\?|$)/, '/parts_test$1');
  const options = (): MigrationOptions => ({ folder, log, reportEvery: 20 });
  const file = async (name: string, up: string, down = 'select 1;') => {
    await writeFile(join(folder, `${name}.sql`), up);
    await writeFile(join(folder, 'down', `${name}.sql`), down);
  };

  beforeEach(async () => {
    folder = await temporaryFolder();
    await mkdir(join(folder, 'down'));
    await database.sequelize.query('create database parts_test');
    db = openDatabase(urlOf(), 5);
    other = new pg.Client({ connectionString: urlOf(), application_name: 'a long report' });
    other.on('error', () => {});
    await other.connect();
    lines.length = 0;
    await file(
      '0001_pages',
      'create table pages (book bigint, page bigint, words bigint not null default 0, primary key (book, page));',
      'drop table pages;',
    );
    await migrate(db, options());
    await other.query(
      'insert into pages select book, page from generate_series(1, 5) book, generate_series(1, 100) page',
    );
  });
  afterEach(async () => {
    await other.end();
    await db.close();
    await database.sequelize.query('drop database parts_test with (force)');
    await rm(folder, { recursive: true, force: true });
  });

  const refusal = (running: Promise<unknown>): Promise<Error> =>
    running.then(
      () => expect.fail('it was not refused'),
      (error) => error,
    );
  /** Ends the connection of a migration that waits, or the one that holds its lock. */
  const terminate = (which: string) =>
    db.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'parley migration' and ${which}`,
      [],
    );
  const waits = `wait_event_type = 'Lock'`;
  const isWaiting = async () => {
    const waiting = `select from pg_stat_activity where application_name = 'parley migration' and ${waits}`;
    return (await db.query(waiting, [])).length > 0;
  };
  const indexes = () =>
    db.query<{ id: number; name: string; isValid: boolean }>(
      `select indexrelid::int as id, relname as name, indisvalid as "isValid"
       from pg_index join pg_class on pg_class.oid = indexrelid
       where indrelid = 'pages'::regclass and not indisprimary order by 2`,
      [],
    );

  it('that older nodes do not work with is declared from its first part on', async () => {
    await file(
      '0002_version',
      'create table schema_version (only_row boolean primary key default true, version integer, compat_version integer);',
    );
    await file('0003_new', '-- compatible from: 3\nselect 1;\n-- in one transaction\nselect 1 / 0;\n');
    expect((await refusal(migrate(db, options()))).message).to.match(/division by zero/);
    expect((await migrationStatus(db, { folder })).schema).to.deep.equal({ version: 2, compatVersion: 3 });
    await file('0003_new', '-- compatible from: 3\nselect 1;\n-- in one transaction\nselect 1;\n');
    await migrate(db, options());
    expect((await migrationStatus(db, { folder })).schema).to.deep.equal({ version: 3, compatVersion: 3 });
    expect(await undoMigration(db, options())).to.deep.equal(['0003_new']);
    expect((await migrationStatus(db, { folder })).schema).to.deep.equal({ version: 2, compatVersion: 1 });
  });

  it('has no time limit in any of its parts', async () => {
    const note = "insert into limits select current_setting('statement_timeout')";
    await file(
      '0002_limits',
      `create table limits (value text);\n${note};
-- in slices of 1000 by pages (book, page)
${note} from pages where (book, page) > ($1, $2) and (book, page) <= ($3, $4);
-- concurrently
${note};
-- in one transaction
${note};
`,
    );
    await migrate(db, options());
    const { rows } = await other.query('select value, count(*)::int from limits group by value');
    expect(rows).to.deep.equal([{ value: '0', count: 503 }]);
  });

  describe('of slices', () => {
    const count = (amount: number) => `-- in slices of 30 by pages (book, page)
update pages set words = words + ${amount} where (book, page) > ($1, $2) and (book, page) <= ($3, $4);
`;
    const words = async () => {
      const { rows } = await other.query('select words, count(*)::int from pages group by 1 order by 1');
      return rows;
    };

    it('runs each slice once, continues after an interruption, and reports its progress', async () => {
      await file('0002_words', `create table lines (line text);\n${count(1)}`);
      await other.query('begin');
      await other.query('select from pages where book = 3 and page = 50 for update');
      const running = refusal(migrate(db, options()));
      await until(isWaiting);
      const done = { migration: '0002_words', table: 'pages', rows: 240 };
      await until(() => lines.some(({ migration, rows }) => migration && rows === done.rows));
      expect(lines.find(({ rows }) => rows === done.rows)).to.deep.include(done);
      await until(async () => (await terminate(waits)).length > 0);
      await running;
      await other.query('rollback');
      expect((await words()).map((row) => row.count)).to.deep.equal([260, 240]);
      expect(await migrationStatus(db, { folder })).to.deep.include({
        executed: ['0001_pages'],
        pending: ['0002_words'],
        underWay: '0002_words',
      });
      expect(await refusal(undoMigration(db, options()))).to.be.instanceOf(StartError);

      await other.query('insert into pages values (9, 1)'); // after all others
      expect(await migrate(db, options())).to.deep.equal(['0002_words']);
      expect(await words()).to.deep.equal([{ words: 1, count: 501 }]);
      expect((await migrationStatus(db, { folder })).underWay).to.equal(undefined);
    });

    it('is reverted in slices, and a reversal is finished before a start', async () => {
      await file(
        '0002_words',
        count(1),
        `${count(-1)}\n-- in one transaction\nselect 1 / (select min(words) from pages);`,
      );
      await migrate(db, options());
      expect((await refusal(undoMigration(db, options()))).message).to.match(/division by zero/);
      expect(await words()).to.deep.equal([{ words: 0, count: 500 }]);
      const error = await refusal(migrate(db, options()));
      expect(error).to.be.instanceOf(StartError);
      expect(error.message).to.equal(
        'The migration down/0002_words was interrupted. Finish it first: npm run migrate:undo',
      );
      await file('0002_words', count(1), `${count(-1)}\n-- in one transaction\nselect 1;`);
      expect(await undoMigration(db, options())).to.deep.equal(['0002_words']);
      expect(await words()).to.deep.equal([{ words: 0, count: 500 }]);
      expect(await migrate(db, options())).to.deep.equal(['0002_words']);
    });

    it('yields to a transaction that has locked its rows, and fails when that does not end', async () => {
      await file('0002_words', count(1));
      await other.query('begin');
      await other.query('select from pages where book = 1 for update');
      const error = await refusal(migrate(db, { folder, timeout: 1 }));
      expect(error.message).to.match(
        /other transactions keep its tables locked \(process \d+ "a long report"/,
      );
    });
  });

  describe('with concurrent statements', () => {
    const index = '-- concurrently\ncreate index concurrently pages_words on pages (words);\n';
    /** A transaction that an index has to wait for. */
    const read = async () => {
      await other.query('begin isolation level repeatable read');
      await other.query('select from pages limit 1');
    };
    const waitsForReader = () =>
      until(() => lines.some(({ waitsFor }) => String(waitsFor).includes('a long')));

    it('creates an index during writes, and reports the transaction that it waits for', async () => {
      await file('0002_index', index);
      await read();
      let ended = false;
      const running = migrate(db, options()).finally(() => {
        ended = true;
      });
      await waitsForReader();
      const writer = new pg.Client(urlOf());
      await writer.connect();
      await writer.query('insert into pages values (6, 1, 1)');
      await writer.end();
      expect(ended).to.equal(false);
      const line = lines.find(({ waitsFor }) => String(waitsFor).includes('a long'));
      expect(line).to.deep.include({ migration: '0002_index', statement: 'pages_words', msg: 'migrating' });
      expect(line?.phase).to.match(/^waiting for /);

      await other.query('commit');
      expect(await running).to.deep.equal(['0002_index']);
      expect((await indexes()).map(({ isValid }) => isValid)).to.deep.equal([true]);
    });

    it('recreates an index that was left invalid, and keeps a valid one', async () => {
      await file('0002_index', `${index}create unique index concurrently pages_once on pages (words);\n`);
      expect((await refusal(migrate(db, options()))).message).to.match(/could not create unique index/);
      const [once, first] = await indexes();
      expect([once?.isValid, first?.isValid]).to.deep.equal([false, true]);
      await other.query('update pages set words = book * 100 + page');
      expect(await migrate(db, options())).to.deep.equal(['0002_index']);
      const [made, kept] = await indexes();
      expect(made).to.deep.include({ name: 'pages_once', isValid: true });
      expect(made?.id).not.to.equal(once?.id);
      expect(kept).to.deep.equal(first);
    });

    it('runs once when several nodes start at the same time, and the others wait', async () => {
      await file('0002_index', index);
      await read();
      const running = [migrate(db, options()), migrate(db, options()), migrate(db, options())];
      await waitsForReader();
      await until(() => lines.filter(({ reason }) => reason === 'another node is migrating it').length === 2);
      await other.query('commit');
      expect((await Promise.all(running)).flat()).to.deep.equal(['0002_index']);
    });

    it('adopts the index of a node that has lost its lock, as after a kill', async () => {
      await file('0002_index', index);
      await read();
      const first = refusal(migrate(db, options()));
      await waitsForReader();
      await terminate(`state = 'idle in transaction'`);
      await first;
      expect(await isWaiting()).to.equal(true); // PostgreSQL continues
      const [made] = await indexes();
      lines.length = 0;
      const second = migrate(db, options());
      await waitsForReader(); // logged by the second node
      await other.query('commit');
      expect(await second).to.deep.equal(['0002_index']);
      expect(await indexes()).to.deep.equal([{ ...made, isValid: true }]);
    });
  });

  it('is waited for while the node that runs it makes progress', async () => {
    await file('0002_words', 'alter table pages add lines bigint;');
    const node = new pg.Client(urlOf());
    await node.connect();
    await node.query('begin');
    await node.query('select pg_advisory_xact_lock(7275391)');
    await other.query('begin');
    await other.query('lock table pages');
    const busy = node.query('lock table pages');
    const waiting = `select from pg_locks where relation = 'pages'::regclass and not granted`;
    await until(async () => (await other.query(waiting)).rowCount === 1); // before, the node would seem idle
    let signs = 0;
    const alive = () => {
      signs++;
      const start = performance.now();
      while (performance.now() - start < 5); // this process may be delayed here, for longer than the time limit
    };
    const running = migrate(db, { folder, timeout: 2, alive });
    await until(() => signs > 8); // for longer than the time limit
    await other.query('commit');
    await busy;
    await node.query('commit');
    expect(await running).to.deep.equal(['0002_words']);
    await node.end();
  });
});
