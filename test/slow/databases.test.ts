import { expect } from 'chai';
import pg from 'pg';
import { openDatabase } from '../../src/database/database.ts';
import { writeBatch } from '../../src/messages/writeBatch.sql.ts';
import { runBasicUse } from '../support/basicUse.ts';
import { JWT_SECRET, startServer } from '../support/harness.ts';
import { findPostgres, hasLocale, type PostgresService, startPostgres } from '../support/postgres.ts';
import { type Failure, startProcess } from '../support/process.ts';

/** Parameters of initdb, and the locale of the system that they need. */
const CLUSTERS = [
  { name: 'a German locale', parameters: ['--locale=de_DE.UTF-8'], locale: 'de_DE.utf8' },
  { name: 'a Turkish locale', parameters: ['--locale=tr_TR.UTF-8'], locale: 'tr_TR.utf8' },
  {
    name: 'a Turkish locale of ICU',
    parameters: ['--locale=C.UTF-8', '--locale-provider=icu', '--icu-locale=tr-TR'],
    locale: 'C.utf8',
  },
  { name: 'the locale C', parameters: ['--locale=C', '--encoding=UTF8'], locale: 'C' },
];

describe('a PostgreSQL of the system', function () {
  this.timeout(300_000);
  let service: PostgresService | undefined;
  afterEach(async () => {
    await service?.stop();
    service = undefined;
  });

  async function start(
    context: Mocha.Context,
    { parameters, locale }: { parameters: string[]; locale: string },
  ): Promise<PostgresService> {
    const binaries = await findPostgres();
    if (!binaries || !hasLocale(locale)) {
      console.log(`      skipped: ${binaries ? `the locale ${locale}` : 'postgresql'} is not installed here`);
      context.skip();
    }
    service = await startPostgres(binaries, parameters);
    return service;
  }

  for (const cluster of CLUSTERS)
    it(`works the same with ${cluster.name}, for a role without special rights, over a Unix socket`, async function () {
      const { folder, port } = await start(this, cluster);
      const at = (user: string, name: string) => `postgres://${user}@/${name}?host=${folder}&port=${port}`;
      const admin = new pg.Client({ connectionString: at('postgres', 'postgres') });
      await admin.connect();
      await admin.query('create role parley login');
      await admin.query('create database parley owner parley');
      await admin.end();
      await runBasicUse(() => startServer({ DATABASE_URL: at('parley', 'parley') }));
    });

  it('plans the statement that stores messages without a scan or just-in-time compilation', async function () {
    const { port } = await start(this, { parameters: ['--locale=C.UTF-8'], locale: 'C.utf8' });
    const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
    await (await startServer({ DATABASE_URL: url })).close();
    const db = openDatabase(url, 2);
    try {
      const arrays = Array(7).fill([null]);
      const rows = await db.writer.query<{ 'QUERY PLAN': string }>({
        text: `explain ${writeBatch}`,
        values: arrays,
      });
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).not.to.match(/Seq Scan|JIT/);
    } finally {
      await db.close();
    }
  });

  for (const encoding of ['LATIN1', 'SQL_ASCII'])
    it(`is refused in one line with the encoding ${encoding}`, async function () {
      const { port } = await start(this, {
        parameters: ['--locale=C', `--encoding=${encoding}`],
        locale: 'C',
      });
      const failure: Failure = await startProcess({
        DATABASE_URL: `postgres://postgres@127.0.0.1:${port}/postgres`,
        JWT_SECRET,
      }).catch((reason) => reason);
      expect(failure.stderr).to.match(
        new RegExp(`^The database "postgres" has the encoding ${encoding}, .*\n$`),
      );
    });
});
