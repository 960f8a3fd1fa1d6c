import { expect } from 'chai';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { migrate } from '../../src/database/migrations.ts';
import { type CopiedTable, moveDatabase } from '../../src/database/move.ts';
import { database, databaseUrl, newClients, newGroup } from '../support/harness.ts';

describe('moving a database', () => {
  let target: Database;
  let databases = 0;

  /** Creates a database without tables, closed after the test. */
  beforeEach(async () => {
    const name = `target_of_move_${process.pid}_${++databases}`;
    await database.sequelize.query(`create database ${name}`);
    target = openDatabase(Object.assign(new URL(databaseUrl()), { pathname: name }).href, 2);
  });
  afterEach(() => target.close());

  const move = async () => {
    const copied: CopiedTable[] = [];
    for await (const table of moveDatabase(database, target)) copied.push(table);
    return new Map(copied.map(({ table, rows }) => [table, rows]));
  };
  const refusal = (): Promise<string> =>
    move().then(
      () => expect.fail('the move was not refused'),
      ({ message }) => message,
    );
  const accounts = async (): Promise<number> =>
    (await target.query<{ count: number }>('select count(*) from users', []))[0]?.count ?? 0;

  before(async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const awkward = ['a,b', '"quoted" and \\', "it's", '(1,2)', '{x}', 'line\nbreak\t', 'ä 🎉'];
    for (const content of awkward) await ada.client.done('messageInGroup', { groupId, content });
    const custom = { list: [1, null, 'x"y'], deep: { text: '\\u0041' } };
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'Hi', custom });
    await bob.client.done('blockUser', { userId: ada.id });
    await bob.client.done('muteChat', { groupId, muted: true });
  });

  it('copies each row, and the next ids follow', async () => {
    const copied = await move();
    expect(copied.get('users')).to.be.at.least(2);
    expect(copied.get('messages')).to.be.at.least(8);
    const tables = await database.query<{ name: string; columns: string }>(comparable, []);
    expect(tables.map(({ name }) => name)).to.include.members(['chat_members', 'blocks', 'messages']);
    for (const { name, columns } of tables) {
      if (NOT_COMPARED.includes(name)) continue;
      const rows = `select (${columns})::text as row from ${name} order by 1`;
      expect(await target.query(rows, []), name).to.deep.equal(await database.query(rows, []));
    }
    const next = `select nextval('users_id_seq') as id`;
    const [here] = await target.query<{ id: number }>(next, []);
    const [there] = await database.query<{ id: number }>('select max(id) as id from users', []);
    expect(here?.id).to.be.greaterThan(there?.id ?? Infinity);
  });

  it('lets every snapshot of the target see all rows, and triggers work again', async () => {
    await move();
    const [unseen] = await target.query<{ count: number }>(
      'select count(*) from chat_members where not pg_visible_in_snapshot(state_xid, pg_current_snapshot())',
      [],
    );
    expect(unseen?.count).to.equal(0);
    const [disabled] = await target.query<{ count: number }>(
      `select count(*) from pg_trigger where tgenabled = 'D'`,
      [],
    );
    expect(disabled?.count).to.equal(0);
  });

  it('leaves no accounts behind when it is interrupted, and can be repeated', async () => {
    const interrupted = moveDatabase(database, target);
    expect((await interrupted.next()).value.rows).to.be.a('number');
    const [{ name } = {}] = await target.query<{ name: string }>('select current_database() as name', []);
    await database.query(terminateTransactions, [name]);
    const message = await (async () => {
      for await (const _ of interrupted);
    })().catch((error) => error.message);
    expect(message).to.match(
      /^The move failed: .* Repeat it: the target contains either no accounts or everything\.$/,
    );
    expect(await accounts()).to.equal(0);
    await move();
    expect(await accounts()).to.be.at.least(2);
  });

  it('refuses a target with accounts, which stay unchanged', async () => {
    await move();
    const before = await accounts();
    expect(await refusal()).to.match(/^The target contains accounts already\. Expected an empty database/);
    expect(await accounts()).to.equal(before);
  });

  it('accepts a target on which a server has run without accounts', async () => {
    await migrate(target);
    await target.execute(`insert into attempts (key, points) values ('x', 1)`, []);
    await move();
    expect(await target.query(`select from attempts where key = 'x'`, [])).to.deep.equal([]);
  });

  it('needs no more privileges than those of the owner of the target', async () => {
    const role = `owner_of_move_${process.pid}`;
    await database.sequelize.query(`create role ${role} login password 'of the owner'`);
    const [{ name } = {}] = await target.query<{ name: string }>('select current_database() as name', []);
    await database.sequelize.query(`alter database ${name} owner to ${role}`);
    await target.close();
    const url = { pathname: name, username: role, password: 'of the owner' };
    target = openDatabase(Object.assign(new URL(databaseUrl()), url).href, 2);
    await move();
    expect(await accounts()).to.be.at.least(2);
  });

  it('refuses a target with tables of another application, and creates none there', async () => {
    await target.execute('create table orders (id bigint)', []);
    expect(await refusal()).to.match(/^The target contains tables of another application\./);
    expect(await target.query(`select to_regclass('users') as "table"`, [])).to.deep.equal([{ table: null }]);
  });
});

/** Tables that servers write while they run, or that are not copied. */
const NOT_COMPARED = ['migrations', 'migration_progress', 'schema_version', 'database_runs', 'nodes'];

const terminateTransactions = `
select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and backend_xid is not null
`;

/** Lists the tables with their columns other than ids of transactions. */
const comparable = `
select relname as name, 'row(' || string_agg(attname, ', ' order by attnum) || ')' as columns
from pg_class join pg_attribute on attrelid = pg_class.oid and attnum > 0 and atttypid <> 'xid8'::regtype
  and not attisdropped
where relnamespace = 'public'::regnamespace and relkind = 'r'
group by relname
`;
