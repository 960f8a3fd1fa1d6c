import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import pg from 'pg';
import { connectAs, databaseUrl, http, JWT_SECRET, newUser, startServer } from '../support/harness.ts';

const HOUR = 3_600;

/** Creates a database whose clock_timestamp() is ahead by the value in a table. */
async function databaseWithClock(): Promise<{ url: string; set(hours: number): Promise<void> }> {
  const name = `clock${process.pid}`;
  const admin = new pg.Client(databaseUrl());
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.query(`alter database ${name} set search_path = public, clock, pg_catalog`);
  await admin.end();
  const url = Object.assign(new URL(databaseUrl()), { pathname: name }).href;
  const run = async (sql: string) => {
    const client = new pg.Client(url);
    await client.connect();
    await client.query(sql);
    await client.end();
  };
  await run(`
    create schema clock;
    create table clock.ahead (hours integer);
    insert into clock.ahead values (1);
    create function clock.clock_timestamp() returns timestamptz volatile language sql
    as 'select pg_catalog.clock_timestamp() + make_interval(hours => hours) from clock.ahead';
  `);
  return { url, set: (hours) => run(`update clock.ahead set hours = ${hours}`) };
}

describe('the clock of the database', function () {
  this.timeout(180_000);

  it('is the one that nodes use, right or wrong, and also after it is set', async () => {
    const clock = await databaseWithClock();
    const node = await startServer({ DATABASE_URL: clock.url });
    const { token, username, password } = await newUser(node.url);
    const { iat = 0, sub } = jwt.decode(token) as jwt.JwtPayload;
    expect(iat - Date.now() / 1000).to.be.closeTo(HOUR, 5);
    const short = jwt.sign({ sub, ver: 1, exp: iat + HOUR / 2 }, JWT_SECRET);
    const [client, other] = [await connectAs(short, node.url), await connectAs(token, node.url)];

    await clock.set(2);
    expect(await client.closed).to.equal(4401);
    expect((await other.call('ping')).success).to.equal(true);
    expect((await http('PATCH', '/users/me', { token: short, body: {}, url: node.url })).status).to.equal(
      401,
    );
    const login = await http('POST', '/auth/login', { body: { username, password }, url: node.url });
    const later = (jwt.decode(login.body.token) as jwt.JwtPayload).iat ?? 0;
    expect(later - Date.now() / 1000).to.be.closeTo(2 * HOUR, 5);
    await node.close();
  });
});
