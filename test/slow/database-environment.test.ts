import { expect } from 'chai';
import pg from 'pg';
import { type Logger, pino } from 'pino';
import type { Transaction } from 'sequelize';
import { openNatsLink } from '../../src/bus/nats/connection.ts';
import { readConfig } from '../../src/config.ts';
import { openDatabase } from '../../src/database/database.ts';
import { migrate } from '../../src/database/migrations.ts';
import { OutageLog } from '../../src/database/outages.ts';
import { checkRequirements } from '../../src/database/requirements.ts';
import { startDatabase } from '../../src/database/start.ts';
import { createLog } from '../../src/observability/log.ts';
import { StartError } from '../../src/protocol/errors.ts';
import { startServer as start } from '../../src/server.ts';
import { runBasicUse } from '../support/basicUse.ts';
import { database, databaseUrl, http, JWT_SECRET, newUser, startServer } from '../support/harness.ts';
import { natsServer } from '../support/nats.ts';
import { hasPgbouncer, startPgbouncer } from '../support/postgres.ts';
import { startRelay } from '../support/relay.ts';
import { until } from '../support/until.ts';

const silent = pino({ level: 'silent' });

function urlOf(name: string, role?: string): string {
  const url = new URL(databaseUrl());
  url.pathname = `/${name}`;
  if (role) [url.username, url.password] = [role, 'password'];
  return url.href;
}

const run = (sql: string) => database.sequelize.query(sql);

/** Creates a database while `work` runs. */
async function withDatabase(options: string, work: (url: string) => Promise<void>): Promise<void> {
  await run(`create database environment_test template template0 ${options}`);
  try {
    await work(urlOf('environment_test'));
  } finally {
    await run('drop database environment_test with (force)');
  }
}

describe('a database with other defaults', function () {
  this.timeout(180_000);

  it('works the same with any defaults', () =>
    withDatabase('', async (url) => {
      for (const [name, value] of Object.entries({
        datestyle: 'German, DMY',
        intervalstyle: 'sql_standard',
        timezone: 'Asia/Kolkata',
        default_transaction_isolation: 'serializable',
        standard_conforming_strings: 'off',
        array_nulls: 'off',
        extra_float_digits: '-15',
        bytea_output: 'escape',
        lock_timeout: '1',
        synchronous_commit: 'off',
      }))
        await run(`alter database environment_test set ${name} = '${value}'`);
      await runBasicUse(() => startServer({ DATABASE_URL: url }));
      const db = openDatabase(url, 2);
      try {
        const [row] = await db.query(
          `select current_setting('synchronous_commit') as sync, current_setting('timezone') as zone, $1 as text`,
          ["back\\slash '"],
        );
        expect(row).to.deep.equal({ sync: 'on', zone: 'UTC', text: "back\\slash '" });
      } finally {
        await db.close();
      }
    }));
});

describe('behind PgBouncer in transaction mode', function () {
  this.timeout(180_000);

  it('a server works, although a statement may run on any connection to the database', async function () {
    if (!hasPgbouncer()) {
      console.log('      skipped: there is no pgbouncer here');
      return this.skip();
    }
    await withDatabase(`locale 'C'`, async (direct) => {
      await run(`alter database environment_test set datestyle = 'German, DMY'`);
      const pooler = await startPgbouncer(direct, 3);
      try {
        await runBasicUse(() => startServer({ DATABASE_URL: pooler.url, DATABASE_POOL_SIZE: '6' }));
        for (const settings of await settingsOf(pooler.url, 3))
          expect(settings).to.deep.equal({ scans: 'on', timeout: '0', readOnly: 'off', prepared: 0 });
      } finally {
        await pooler.stop();
      }
    });
  });
});

/** Returns the settings on a number of connections to the database, read at the same time. */
async function settingsOf(url: string, count: number): Promise<unknown[]> {
  const clients = Array.from({ length: count }, () => new pg.Client({ connectionString: url }));
  await Promise.all(clients.map((client) => client.connect()));
  await Promise.all(clients.map((client) => client.query('begin')));
  const settings = await Promise.all(
    clients.map((client) =>
      client.query(`
select current_setting('enable_seqscan') as scans, current_setting('statement_timeout') as timeout,
  current_setting('default_transaction_read_only') as "readOnly",
  (select count(*)::int from pg_prepared_statements) as prepared
`),
    ),
  );
  await Promise.all(clients.map((client) => client.end()));
  return settings.flatMap(({ rows }) => rows);
}

describe('an unsuitable database', function () {
  this.timeout(180_000);

  /** Returns the one line with which a start on the database fails. */
  async function refusal(url: string): Promise<string> {
    const config = readConfig({ DATABASE_URL: url });
    try {
      const db = await startDatabase(config, silent);
      await migrate(db).finally(() => db.close());
      return 'it works';
    } catch (error) {
      if (error instanceof StartError) return error.message;
      throw error;
    }
  }

  for (const encoding of ['LATIN1', 'SQL_ASCII'])
    it(`is refused with the encoding ${encoding}, and the message has the statement that creates a suitable one`, () =>
      withDatabase(`encoding '${encoding}' locale 'C'`, async (url) => {
        const sentence = await refusal(url);
        expect(sentence).to.match(
          new RegExp(`has the encoding ${encoding}, .*expected UTF8.*create database`),
        );
        const remedy = /create database (\w+) (.*?);/.exec(sentence);
        await run(`create database remedy_test ${remedy?.[2]}`);
        await run('drop database remedy_test');
      }));

  it('is logged and waited for when it is read-only', () =>
    withDatabase('', async (url) => {
      await run('alter database environment_test set default_transaction_read_only = on');
      const db = openDatabase(url, 2);
      const obstacle = await checkRequirements(db).finally(() => db.close());
      expect(obstacle).to.match(/is read-only \(default_transaction_read_only\)/);
    }));

  it('is refused for a role that may not create extensions or tables, with the statements for an administrator', () =>
    withDatabase('', async (url) => {
      await run(`create role environment_role login password 'password'`);
      const own = urlOf('environment_test', 'environment_role');
      const admin = openDatabase(url, 2);
      try {
        expect(await refusal(own)).to.match(
          /^The role "environment_role" is not allowed to migrate the schema .*: .*grant create on schema public to "environment_role";$/,
        );
        await admin.sequelize.query('grant create on schema public to environment_role');
        const sentence = await refusal(own);
        expect(sentence).to.match(
          /lacks extensions that this role cannot create .*administrator run in it: create/,
        );
        for (const line of sentence.match(/create extension \w+;/g) ?? []) await admin.sequelize.query(line);
        expect(await refusal(own)).to.equal('it works');
      } finally {
        await admin.sequelize.query('drop owned by environment_role');
        await admin.close();
        await run('drop role environment_role');
      }
    }));

  it('is refused when its extensions are in a schema outside the search path', () =>
    withDatabase('', async (url) => {
      const admin = openDatabase(url, 2);
      await admin.sequelize.query('create schema elsewhere; create extension pg_trgm schema elsewhere');
      await admin.close();
      const sentence = await refusal(url);
      expect(sentence).to.match(
        /"pg_trgm" .* is in the schema "elsewhere", which search_path does not contain/,
      );
      await run(/alter database .*;/.exec(sentence)?.[0] ?? '');
      expect(await refusal(url)).to.equal('it works');
    }));
});

describe('a database server of another kind', () => {
  const facts = { version: '15.8', versionNumber: 150_008, encoding: 'UTF8', name: 'parley' };
  /** Returns a database that reports these properties. */
  const check = (properties: object) =>
    checkRequirements({
      ...database,
      query: async <Row>() => [{ ...facts, isStandby: false, isReadOnly: false, ...properties }] as Row[],
    });

  it('is refused when it is older than PostgreSQL 15', async () => {
    expect(await check({})).to.equal(undefined);
    const error = await check({ version: '14.13', versionNumber: 140_013 }).catch((reason) => reason);
    expect(error).to.be.instanceOf(StartError);
    expect(error.message).to.match(/^The database is PostgreSQL 14\.13; expected 15 or later\./);
  });

  it('is waited for when it is a standby, which may be promoted', async () => {
    expect(await check({ isStandby: true, isReadOnly: true })).to.match(
      /^The database is a read-only standby/,
    );
  });
});

describe('the URL of a database', () => {
  it('may have the server in its query, or an escaped host, for all connections', async () => {
    const { username, password, port } = new URL(databaseUrl());
    const user = `${username}:${password}`;
    for (const url of [
      `postgres://${user}@/postgres?host=127.0.0.1&port=${port}`,
      `postgresql:///postgres?host=127.0.0.1&port=${port}&user=${username}&password=${password}`,
      `postgres://${user}@127%2E0%2E0%2E1:${port}/postgres`,
    ]) {
      const { databaseUrl: given = '' } = readConfig({ DATABASE_URL: url });
      const db = openDatabase(given, 2);
      try {
        const where = 'select inet_server_port() as port';
        expect(await db.query(where, [])).to.deep.equal([{ port: Number(port) }]);
        expect(await db.reads.query(where, [])).to.deep.equal([{ port: Number(port) }]);
        expect(await db.writer.query({ text: where })).to.deep.equal([{ port: Number(port) }]);
      } finally {
        await db.close();
      }
    }
  });
});

describe('an outage of the database', function () {
  this.timeout(180_000);

  it('logs one line when it begins, with the reason, and one when it ends, with the seconds', async () => {
    const lines: Record<string, unknown>[] = [];
    const log = createLog({ level: 'info', stream: { write: (line) => void lines.push(JSON.parse(line)) } });
    const relay = await startRelay(databaseUrl());
    const env = { HOST: '127.0.0.1', PORT: '0', DATABASE_URL: relay.url, JWT_SECRET, RATE_LIMITS: 'off' };
    const server = await start(readConfig(env), log);
    const url = `http://127.0.0.1:${server.port}`;
    const about = () => lines.filter(({ msg }) => /database/.test(String(msg)));
    try {
      const client = await (await newUser(url)).connect();
      lines.splice(0);
      await relay.cut();
      for (let n = 0; n < 5; n++) {
        await client.call('listLastMessage', {});
        await http('GET', '/health/ready', { url });
      }
      await until(() => about().length > 0);
      await relay.restore();
      await client.done('listLastMessage', {});
      await until(() => about().length > 1);
    } finally {
      await server.close();
    }
    await relay.cut();
    const [outage, reconnect, ...more] = about();
    expect(outage).to.include({ level: 40, msg: 'disconnected from the database' });
    expect(outage?.reason).to.match(/ECONN|terminated/);
    expect(reconnect).to.include({ level: 30, msg: 'reconnected to the database' });
    expect(reconnect?.seconds).to.be.within(0, 10);
    expect(more).to.deep.equal([]);
    expect(lines.filter(({ level }) => Number(level) > 30)).to.deep.equal([outage]);
  });

  it('is one outage although statements fail and succeed in turn', () => {
    let now = 0;
    const lines: unknown[][] = [];
    const note = (...line: unknown[]) => void lines.push(line);
    const outages = new OutageLog({ info: note, warn: note } as unknown as Logger, () => now);
    const failure = new Error('no more connections');
    outages.failed(failure, now); // the start itself reports that it waits
    outages.succeeded();
    for (now = 10_000; now < 20_000; now += 100) {
      outages.failed(failure, now - 50);
      outages.succeeded();
    }
    for (; now < 30_000; now += 100) outages.succeeded();
    expect(lines).to.deep.equal([
      [{ reason: 'no more connections' }, 'disconnected from the database'],
      [{ seconds: 10 }, 'reconnected to the database'],
    ]);
  });

  it('writes nothing to the console when a transaction is lost', async () => {
    const relay = await startRelay(databaseUrl());
    const printed: unknown[] = [];
    const { warn, error } = console;
    console.warn = console.error = (...words) => void printed.push(words);
    const db = openDatabase(relay.url, 2);
    try {
      for (const text of ['COMMIT', 'START TRANSACTION', 'ROLLBACK']) {
        const lost = relay.loseAnswerTo(text);
        const work = async (transaction: Transaction) => {
          await db.query('select 1', [], transaction);
          if (text === 'ROLLBACK') throw new Error('rolled back');
        };
        await db.transaction(work).catch(() => {});
        await lost;
      }
      expect(printed).to.deep.equal([]);
    } finally {
      Object.assign(console, { warn, error });
      await db.close();
      await relay.cut();
    }
  });
});

describe('an outage of NATS', function () {
  this.timeout(180_000);

  it('logs the same two lines, and one when NATS is unreachable at the start', async function () {
    const nats = await natsServer();
    if (!nats) {
      console.log('      skipped: there is no nats-server here');
      return this.skip();
    }
    const lines: Record<string, unknown>[] = [];
    const log = createLog({ level: 'info', stream: { write: (line) => void lines.push(JSON.parse(line)) } });
    let attempts = 0;
    const events = { connected: () => {}, disconnected: () => {} };
    const debug = () => void attempts++;
    const link = await openNatsLink({ servers: [nats.url] }, Object.assign(log, { debug }), events);
    try {
      await until(() => attempts >= 2);
      await nats.start();
      await until(() => link.isUp);
      await nats.stop();
      await until(() => !link.isUp);
      await nats.start();
      await until(() => link.isUp);
    } finally {
      await link.close();
      await nats.stop();
    }
    const [connecting, away, first, outage, back, ...more] = lines;
    expect(
      [connecting, away, first, outage, back].map((line) => String(line?.msg).split(';')[0]),
    ).to.deep.equal([
      'connecting to NATS',
      'NATS does not answer',
      'connected to NATS',
      'disconnected from NATS',
      'connected to NATS',
    ]);
    expect(back?.seconds).to.be.within(0, 20);
    expect(more).to.deep.equal([]);
  });
});
