import { expect } from 'chai';
import { prepared } from '../src/database/statements.ts';
import { database } from './harness.ts';

describe('a prepared statement', () => {
  const all = prepared('all of a test', 'select * from statement_test where id >= $1 order by id');

  afterEach(() => database.select('drop table if exists statement_test', []));

  it('goes on when a migration has changed what it returns', async () => {
    await database.select('create table statement_test (id bigint primary key)', []);
    await database.select('insert into statement_test values (1), (2)', []);
    expect(await database.select(all, [2])).to.deep.equal([{ id: 2 }]);
    await database.select(`alter table statement_test add name text default 'Ada'`, []);
    for (let run = 0; run < 7; run++)
      expect(await database.select(all, [2])).to.deep.equal([{ id: 2, name: 'Ada' }]);
  });
});
