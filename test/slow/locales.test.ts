import { hash } from 'bcryptjs';
import { expect } from 'chai';
import pg from 'pg';
import { pino } from 'pino';
import type { AdminServices } from '../../src/admin/define.ts';
import { listGroupConflicts } from '../../src/admin/groups.ts';
import { listUserConflicts } from '../../src/admin/users.ts';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { fillFoldedNames, warnOfAmbiguousNames } from '../../src/database/foldedNames.ts';
import { migrate, undoMigration } from '../../src/database/migrations.ts';
import { connectAs, database, databaseUrl, http, startServer } from '../support/harness.ts';
import { until } from '../support/until.ts';

const password = 'correct horse battery';

function urlOf(): string {
  const url = new URL(databaseUrl());
  url.pathname = '/locale_test';
  return url.href;
}

/** Creates a database with a locale, for one test. */
const withDatabase = (locale: string) => {
  before(() =>
    database.sequelize.query(`create database locale_test template template0 encoding 'UTF8' ${locale}`),
  );
  after(() => database.sequelize.query('drop database locale_test'));
};

const locales: Record<string, string> = {
  C: "locale_provider libc locale 'C'",
  'Turkish of ICU': "locale_provider icu icu_locale 'tr-TR'",
};

for (const [name, locale] of Object.entries(locales))
  describe(`a database with the locale ${name}`, function () {
    this.timeout(180_000);
    withDatabase(locale);

    it('compares names and finds messages like any other', async () => {
      const server = await startServer({ DATABASE_URL: urlOf() });
      try {
        const { url } = server;
        const register = (username: string, email: string) =>
          http('POST', '/auth/register', { url, body: { username, email, password } });
        const { body } = await register('Ärger', 'INFO@EXAMPLE.COM');
        expect((await register('ärger', 'b@example.com')).status).to.equal(409);
        expect((await register('Iris', 'info@example.com')).status).to.equal(409);
        expect((await register('IRIS', 'c@example.com')).status).to.equal(201);
        expect((await register('iris', 'd@example.com')).status).to.equal(409);
        expect((await register('ırıs', 'e@example.com')).status).to.equal(201);
        for (const who of [{ email: 'info@example.com' }, { username: 'ÄRGER' }])
          expect((await http('POST', '/auth/login', { url, body: { ...who, password } })).status).to.equal(
            200,
          );

        const client = await connectAs(body.token, url);
        const { groupId } = await client.done('newGroup', { groupName: 'ПРИВЕТ Istanbul', isPrivate: false });
        const again = { groupName: 'привет İSTANBUL'.replace('İ', 'I'), isPrivate: false };
        expect(await client.refused('newGroup', again)).to.equal('CONFLICT');
        expect((await client.done('listGroups', { query: 'привет ISTAN' })).data).to.have.length(1);
        expect((await client.done('searchUsers', { query: 'IRI' })).data).to.have.length(2);

        for (const content of ['Сказал Привет', '«Quoted» IDEAS', '@iris said hi'])
          await client.done('messageInGroup', { groupId, content });
        const found = async (query: string) =>
          (await client.done('searchMessages', { query })).data.map(
            (row: { content: string }) => row.content,
          );
        // Those that are not in ASCII are indexed after the others, in one part or several.
        for (const word of ['said', 'привет', 'ideas'])
          await until(async () => (await found(word)).length > 0);
        expect(await found('привет')).to.deep.equal(['Сказал Привет']);
        expect(await found('ПРИВ')).to.deep.equal(['Сказал Привет']);
        expect(await found('quoted idea')).to.deep.equal(['«Quoted» IDEAS']); // by forms of the words
        expect(await found('"quoted ideas"')).to.deep.equal(['«Quoted» IDEAS']);
      } finally {
        await server.close();
      }
    });
  });

describe('names from earlier releases', function () {
  this.timeout(180_000);
  let db: Database;
  before(() => {
    db = openDatabase(urlOf(), 4);
  });
  after(() => db.close()); // before the database is dropped
  withDatabase("locale_provider libc locale 'C'");

  it('are kept when two are the same now, are shown to the operator, and can still log in', async () => {
    await migrate(db);
    while (!(await undoMigration(db))[0]?.startsWith('0016'));
    const insertUser = async (username: string) => {
      const [row] = await db.execute<{ id: number }>(
        'insert into users (username, email, password_hash) values ($1, $2, $3) returning id',
        [username, `${Buffer.from(username).toString('hex')}@Example.com`, await hash(password, 10)],
      );
      return row?.id ?? 0;
    };
    const insertGroup = (name: string, owner: number) =>
      db.execute(`insert into chats (kind, name, is_private, created_by) values ('group', $1, false, $2)`, [
        name,
        owner,
      ]);
    const [one, two, bob] = [await insertUser('Ärger'), await insertUser('ärger'), await insertUser('Bob')];
    for (const name of ['Straße', 'Strasse', 'Climbers', 'Old\u0001name']) await insertGroup(name, bob);
    const [message] = await db.execute<{ id: number }>(
      `with dialog as (
         insert into chats (kind, user_low, user_high, created_by, last_seq) values ('dialog', $1, $1, $1, 1) returning id
       ), member as (insert into chat_members (chat_id, user_id) select id, $1 from dialog),
       message as (
         insert into messages (chat_id, seq, sender_id, kind, content) select id, 1, $1, 'text', 'ЁЛКА' from dialog
         returning id, chat_id, seq, content
       )
       insert into message_search (message_id, chat_id, seq, document, folded)
       select id, chat_id, seq, to_tsvector('parley', content), folded(content) from message
       returning message_id as id`,
      [one],
    );
    await db.execute('update message_search_progress set settled_id = $1, noted_id = $1', [message?.id]);

    await migrate(db);
    const filled = await Promise.all([fillFoldedNames(db), fillFoldedNames(db)]);
    expect(filled[0] + filled[1]).to.equal(7);
    expect(await fillFoldedNames(db)).to.equal(0);
    const logged: Record<string, unknown>[] = [];
    await warnOfAmbiguousNames(db, pino({}, { write: (line) => logged.push(JSON.parse(line)) }));
    expect(logged[0]).to.deep.include({ level: 40, users: [{ id: two, username: 'ärger' }] });
    expect(logged[0]?.groups).to.have.length(1);
    const services = { db } as AdminServices;
    expect(await listUserConflicts([], {}, services)).to.have.length(1);
    expect(await listGroupConflicts([], {}, services)).to.deep.include.members([
      { id: 2, name: 'Strasse', otherId: 1, otherName: 'Straße' },
    ]);

    const server = await startServer({ DATABASE_URL: urlOf() });
    try {
      const { url } = server;
      const logIn = async (username: string) =>
        (await http('POST', '/auth/login', { url, body: { username, password } })).body;
      for (const [username, id] of [
        ['Ärger', one],
        ['ärger', two],
        ['ÄRGER', one],
        ['BOB', bob],
      ] as const)
        expect((await logIn(username)).user.id, username).to.equal(id);

      const { token } = await logIn('Ärger');
      const client = await connectAs(token, url);
      const isRenewed = 'select from message_search where fold = 1 and message_id = $1';
      await until(async () => (await db.query(isRenewed, [message?.id])).length > 0);
      const { data } = await client.done('searchMessages', { query: 'елка' });
      expect(data[0].highlight).to.deep.equal([{ text: 'ЁЛКА', hit: true }]);

      const rename = { username: 'Verdruss' };
      expect((await http('PATCH', '/users/me', { url, token, body: rename })).status).to.equal(200);
      const isFree = `select from users where id = $1 and username_folded = 'ärger'`;
      await until(async () => (await db.query(isFree, [two])).length > 0);
      expect((await logIn('ÄRGER')).user.id).to.equal(two);
      expect(await listUserConflicts([], {}, services)).to.deep.equal([]);

      const cleo = await insertUser('Cléo'); // as an older server does
      expect((await logIn('Cléo')).user.id).to.equal(cleo);
      const isFilled = `select from users where id = $1 and username_folded = 'cléo'`;
      await until(async () => (await db.query(isFilled, [cleo])).length > 0);
      expect((await logIn('CLÉO')).user.id).to.equal(cleo);

      const older = new pg.Client(urlOf());
      await older.connect();
      await older.query(`update users set username = 'Zoë' where id = $1`, [cleo]);
      await older.query(`update chats set name = 'Bergsteiger' where name = 'Climbers'`);
      await older.query(
        'update users set username = null, email = null, password_hash = null, deleted_at = now() where id = $1',
        [bob],
      );
      await older.end();
      const isRenamed = `select from users where username_folded = 'zoë' and username_search = 'zoe'`;
      await until(async () => (await db.query(isRenamed, [])).length > 0);
      expect((await logIn('ZOË')).user.id).to.equal(cleo);
      const isRead = `select from chats where name_folded = 'bergsteiger' and name_search = 'bergsteiger'`;
      await until(async () => (await db.query(isRead, [])).length > 0);
      const isFolded = `select from users where id = $1 and (username_folded is not null or email_folded is not null)`;
      expect(await db.query(isFolded, [bob])).to.deep.equal([]);
    } finally {
      await server.close();
    }
  });
});
