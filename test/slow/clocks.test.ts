import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { needFaketime, type ServerWithClock, startWithClock } from '../support/faketime.ts';
import { connectAs, database, http, JWT_SECRET, newUser, type User } from '../support/harness.ts';

const statusOf = (token: string, { url }: ServerWithClock) =>
  connectAs(token, url).then(
    () => 101,
    (error) => error.status,
  );
/** 400 for a valid token: there is nothing to change. */
const statusOverHttp = async (token: string, { url }: ServerWithClock) =>
  (await http('PATCH', '/users/me', { token, body: {}, url })).status;

async function logIn({ username, password }: User, { url }: ServerWithClock): Promise<string> {
  return (await http('POST', '/auth/login', { body: { username, password }, url })).body.token;
}

describe('nodes whose clocks differ', function () {
  this.timeout(180_000);
  let behind: ServerWithClock;
  let ahead: ServerWithClock;

  before(async function () {
    needFaketime.call(this);
    [behind, ahead] = await Promise.all([startWithClock('-5s'), startWithClock('+5m')]);
  });
  after(() => Promise.all([behind?.stop('SIGKILL'), ahead?.stop('SIGKILL')]));

  /** Returns the answers to tokens at the upgrade and over HTTP, of both nodes. */
  const statusesOf = (tokens: readonly string[]) =>
    Promise.all(
      tokens.flatMap((token) =>
        [behind, ahead].flatMap((node) => [statusOf(token, node), statusOverHttp(token, node)]),
      ),
    );

  it('accept every login after endOtherSessions, and no earlier token but that of the caller', async () => {
    const ada = await newUser();
    const kept = await connectAs(ada.token, ahead.url);
    const before: string[] = [];
    for (let times = 0; times < 12; times++) {
      await kept.done('endOtherSessions');
      const token = await logIn(ada, behind);
      expect(await statusesOf([token]), `login ${times}`).to.deep.equal([101, 400, 101, 400]);
      before.push(token);
    }
    await kept.done('endOtherSessions');
    expect(new Set(await statusesOf(before))).to.deep.equal(new Set([401]));
    expect(await statusesOf([ada.token])).to.deep.equal([101, 400, 101, 400]);
  });

  it('log the difference at the start', () => {
    for (const [node, seconds] of [
      [behind, -5],
      [ahead, 300],
    ] as const) {
      const warning = node.log.find(({ msg }) => String(msg).includes('differs from that of the database'));
      expect(warning?.seconds).to.be.closeTo(seconds, 1);
    }
  });

  it('issue and expire tokens by one clock, in the second of their exp', async () => {
    const ada = await newUser();
    for (const node of [behind, ahead]) {
      const { iat = 0, exp = 0 } = jwt.decode(await logIn(ada, node)) as jwt.JwtPayload;
      expect(Math.abs(iat - Date.now() / 1000)).to.be.below(4);
      expect(exp - iat).to.equal(24 * 3600);
    }
    const exp = Math.ceil(Date.now() / 1000) + 2;
    const token = jwt.sign({ sub: String(ada.id), ver: 1, exp }, JWT_SECRET);
    const clients = [await connectAs(token, behind.url), await connectAs(token, ahead.url)];
    for (const client of clients) {
      expect(await client.closed).to.equal(4401);
      expect(Date.now() / 1000).to.be.within(exp - 0.01, exp + 3);
    }
    expect(await statusesOf([token])).to.deep.equal([401, 401, 401, 401]);
  });

  it('record the begin and the end of sessions by one clock', async () => {
    const ada = await newUser();
    for (const node of [behind, ahead]) await (await connectAs(ada.token, node.url)).close();
    const here = await ada.connect();
    let ended: { connectedAt: string; endedAt: string | null }[] = [];
    while (ended.length < 2) ended = (await here.done('listSessions', { live: false })).data;
    for (const { connectedAt, endedAt } of ended)
      for (const time of [connectedAt, endedAt ?? ''])
        expect(Math.abs(Date.parse(time) - Date.now())).to.be.below(4_000);
    await ada.connect(ahead.url).then((client) => client.done('updateProfile', { about: 'here' }));
    const { updatedAt } = (await database.users.findByPk(ada.id)) as { updatedAt: Date };
    expect(Math.abs(updatedAt.getTime() - Date.now())).to.be.below(4_000);
  });
});
