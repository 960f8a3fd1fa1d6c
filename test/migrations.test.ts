import { expect } from 'chai';
import { type Database, openDatabase } from '../src/database/database.ts';
import { migrate, migrationStatus, undoMigration } from '../src/database/migrations.ts';
import { database, databaseUrl } from './harness.ts';

describe('the migrations', () => {
  let fresh: Database;

  beforeEach(async () => {
    await database.sequelize.query('create database migrations_test');
    const url = new URL(databaseUrl());
    url.pathname = '/migrations_test';
    fresh = openDatabase(url.href, 5);
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

  it('make the schema, and take every step of it back', async () => {
    const names = [
      '0001_users',
      '0002_chats',
      '0003_messages',
      '0004_people',
      '0005_groups',
      '0006_message_life',
      '0007_search',
      '0008_sessions',
      '0009_attempts',
      '0010_rules_version',
      '0011_operators',
      '0012_reads',
      '0013_message_versions',
      '0016_database_runs',
    ];
    expect(await migrationStatus(fresh)).to.deep.equal({ executed: [], pending: names });
    expect(await migrate(fresh)).to.deep.equal(names);
    expect(await migrate(fresh)).to.deep.equal([]);
    expect(await tables()).to.include.members(['users', 'chats', 'chat_members', 'messages']);

    for (const name of names.toReversed()) expect(await undoMigration(fresh)).to.deep.equal([name]);
    expect(await undoMigration(fresh)).to.deep.equal([]);
    expect(await tables()).to.deep.equal(['migrations']);
    expect(await migrate(fresh)).to.deep.equal(names);
  });

  it('run once when several nodes start at the same time', async () => {
    const runs = await Promise.all([migrate(fresh), migrate(fresh), migrate(fresh)]);
    expect(runs.map(({ length }) => length).sort()).to.deep.equal([0, 0, 14]);
  });
});
