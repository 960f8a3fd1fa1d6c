import { expect } from 'chai';
import { prepared } from '../../src/database/statements.ts';
import { database } from '../support/harness.ts';

describe('a prepared statement', () => {
  const all = prepared('all of a test', 'select * from statement_test where id >= $1 order by id');

  afterEach(() => database.execute('drop table if exists statement_test', []));

  it('continues when a migration has changed its result columns', async () => {
    await database.execute('create table statement_test (id bigint primary key)', []);
    await database.execute('insert into statement_test values (1), (2)', []);
    expect(await database.query(all, [2])).to.deep.equal([{ id: 2 }]);
    await database.execute(`alter table statement_test add name text default 'Ada'`, []);
    for (let run = 0; run < 7; run++)
      expect(await database.query(all, [2])).to.deep.equal([{ id: 2, name: 'Ada' }]);
  });

  it('fails at most once on a connection that prepared it before', async () => {
    const own = prepared(
      'pid of a test',
      'select *, pg_backend_pid() as pid from statement_test where $1 = 1',
    );
    const pids = async () => {
      const found: number[] = [];
      for (let run = 0; run < 8; run++)
        for (const { pid } of await database.query<{ pid: number }>(own, [1])) found.push(pid);
      return found;
    };
    await database.execute('create table statement_test as select 1 as id', []);
    const before = new Set(await pids());
    await database.execute('alter table statement_test add name text', []);
    const after = (await pids()).filter((pid) => before.has(pid));
    expect(after)
      .to.have.length.at.least(1)
      .and.deep.equal([...new Set(after)]);
  });
});

describe('a statement in text format', () => {
  it('returns its rows as PostgreSQL sends them, prepared or not', async () => {
    const text = `select n * 2, $1::text, null, array[n, n], timestamptz '2026-01-01 00:00Z' from generate_series(1, 2) n`;
    for (const name of [undefined, 'texts of a test', 'texts of a test'])
      expect(
        await database.writer.query({ text, values: ['Zoë, 🙂'], asText: true, ...(name && { name }) }),
      ).to.deep.equal([
        ['2', 'Zoë, 🙂', null, '{1,1}', '2026-01-01 00:00:00+00'],
        ['4', 'Zoë, 🙂', null, '{2,2}', '2026-01-01 00:00:00+00'],
      ]);
    for (const value of [null, undefined])
      expect(
        await database.writer.query({
          text: 'select 1 where $1::bigint is not null',
          values: [value],
          asText: true,
        }),
      ).to.be.empty;
  });

  it('fails with the error of PostgreSQL', async () => {
    const divide = (by: number) =>
      database.writer.query({ text: 'select 1 / $1::int', values: [by], asText: true });
    expect(await divide(0).catch(({ code }) => code)).to.equal('22012');
    expect(await divide(1)).to.deep.equal([['1']]);
  });
});

describe('the connections for reads', () => {
  it('change nothing', async () => {
    for (const pool of [database.reads, database.heavyReads])
      expect(await pool.query('delete from blocks', []).catch(({ code }) => code)).to.equal('25006');
    await database.query('delete from blocks where false', []);
  });
});
