import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { WebSocket } from 'ws';
import { addToOutbox } from '../../src/bus/outbox.ts';
import { userTopic } from '../../src/bus/topics.ts';
import { encodePush } from '../../src/protocol/frames.ts';
import { deleteOldSessions } from '../../src/sessions/oldSessions.ts';
import { endSessionsOfDeadNodes } from '../../src/sessions/sessions.sql.ts';
import { open } from '../support/client.ts';
import {
  connectAs,
  database,
  http,
  JWT_SECRET,
  newClients,
  newUser,
  newUsers,
  server,
  startServer,
} from '../support/harness.ts';
import { id } from '../support/ids.ts';
import { until } from '../support/until.ts';

const login = async (user: { username: string; password: string }) =>
  (await http('POST', '/auth/login', { body: { username: user.username, password: user.password } })).body
    .token;

const connectWith = (token: string, device: string) =>
  open(
    new WebSocket(`${server.url.replace('http', 'ws')}/?device=${encodeURIComponent(device)}`, [
      'auth',
      token,
    ]),
  );

describe('listSessions', () => {
  it('lists live and ended connections with their devices, newest first', async () => {
    const ada = await newUser();
    const phone = await connectWith(ada.token, 'Ada’s phone');
    const laptop = await connectWith(ada.token, 'laptop\n\u0007');
    await phone.close();
    const sessions = async () => (await laptop.done('listSessions')).data;
    await until(async () => (await sessions())[1].endedAt !== null); // the server's side of the closing
    const data = await sessions();
    expect(data).to.have.length(2);
    expect(data[0]).to.include({ device: 'laptop', address: '127.0.0.1', endedAt: null, current: true });
    expect(data[1]).to.include({ device: 'Ada’s phone', current: false });
    expect(Date.parse(data[1].endedAt)).to.be.at.least(Date.parse(data[1].connectedAt));
    expect((await laptop.done('listSessions', { live: true })).data).to.have.length(1);
    const page = await laptop.done('listSessions', { limit: 1 });
    expect(
      (await laptop.done('listSessions', { limit: 1, cursor: page.nextCursor })).data[0].device,
    ).to.equal('Ada’s phone');
    await laptop.close();
  });

  it('lists connections to other nodes, which end with their node', async () => {
    const other = await startServer();
    const ada = await newUser();
    const there = await ada.connect(other.url);
    await there.done('listSessions');
    const here = await ada.connect();
    expect((await here.done('listSessions', { live: true })).data).to.have.length(2);
    await other.close();
    expect((await here.done('listSessions', { live: true })).data).to.have.length(1);
  });
});

describe('an open session', () => {
  it('of a silent node ended with its last sign of life, and that of an unknown node when it began', async () => {
    const { id, ...ada } = await newUser();
    const beatAt = new Date(Date.now() - 3_600_000).toISOString();
    const connectedAt = new Date(Date.now() - 7_200_000).toISOString();
    await database.execute(sessionsOfMissingNodes, [id, beatAt, connectedAt]);
    const here = await ada.connect();
    const listed = async (params: object) =>
      (await here.done('listSessions', params)).data.map(({ endedAt }: { endedAt: string }) => endedAt);
    expect(await listed({})).to.deep.equal([null, connectedAt, beatAt]);
    expect(await listed({ live: false })).to.deep.equal([connectedAt, beatAt]);
    expect(await listed({ live: true })).to.deep.equal([null]);
  });
});

/** Inserts two sessions of the user $1 that began at $3: of a node with its last heartbeat at $2, and of none. */
const sessionsOfMissingNodes = `
with node as (
  insert into nodes (id, beat_at) values (gen_random_uuid(), $2::timestamptz) returning id
)
insert into sessions (user_id, node_id, address, connected_at)
select $1, id, '127.0.0.1', $3::timestamptz
from (select 1 as n, id from node union all select 2, gen_random_uuid()) nodes
order by n
`;

describe('old sessions', () => {
  const rows = (userId: number) =>
    database.query<{ device: string }>('select device from sessions where user_id = $1 order by id', [
      userId,
    ]);

  it('are deleted in slices, with expired tokens, and without waiting for the rows that another node deletes', async () => {
    const ada = await newUser();
    const [first] = await database.execute<{ id: number }>(oldSessions, [ada.id, 5]);
    await database.execute(
      'insert into sessions (user_id, node_id, address) values ($1, gen_random_uuid(), $2)',
      [...[ada.id, 'open']],
    );
    await database.transaction(async (transaction) => {
      await database.query('select from sessions where id = $1 for update', [first?.id], transaction);
      await deleteOldSessions(database, 2);
      expect((await rows(ada.id)).map(({ device }) => device)).to.deep.equal(['1', 'new', null]);
    });
    await deleteOldSessions(database, 2);
    expect((await rows(ada.id)).map(({ device }) => device)).to.deep.equal(['new', null]);
    const left = await database.query(`select token_id from ended_tokens where token_id like $1`, [
      `old ${ada.id} %`,
    ]);
    expect(left).to.deep.equal([{ token_id: `old ${ada.id} live` }]);
  });
});

/** Inserts old ended sessions of the user $1, one that has just ended, and revoked tokens, one of them not expired. */
const oldSessions = `
with tokens as (
  insert into ended_tokens (token_id, expires_at)
  select 'old ' || $1::bigint || ' ' || n, now() - interval '1 day' from generate_series(1, $2::int) n
  union all select 'old ' || $1::bigint || ' live', now() + interval '1 day'
)
insert into sessions (user_id, node_id, device, address, connected_at, ended_at)
select $1::bigint, gen_random_uuid(), n::text, '127.0.0.1', now() - interval '40 days', now() - interval '31 days'
from generate_series(1, $2::int) n
union all
select $1::bigint, gen_random_uuid(), 'new', '127.0.0.1', now() - interval '40 days', now() - interval '1 day'
returning id
`;

describe('the sessions of a dead node', () => {
  it('end with its last sign of life, and who has no open one on another node is reported', async () => {
    const [offline, elsewhere] = await newUsers(2);
    const beatAt = new Date(Date.now() - 60_000);
    // In one transaction: the server of this file ends the sessions of dead nodes as well.
    const reported = await database.transaction(async (transaction) => {
      for (const { id } of [offline, elsewhere])
        await database.execute(deadAndLiveSession, [id, beatAt, id === offline.id], transaction);
      return database.execute<{ userId: number }>(endSessionsOfDeadNodes, [30], transaction);
    });
    expect(
      reported.filter(({ userId }) => [offline.id, elsewhere.id].some((id) => id === userId)),
    ).to.deep.equal([{ userId: offline.id, username: offline.username, lastSeenAt: beatAt }]);
    const { data } = await (await offline.connect()).done('listSessions', { live: false });
    expect(data.map(({ endedAt }: { endedAt: string }) => endedAt)).to.include(beatAt.toISOString());
  });

  it('are the only ones that end, without those that had ended, and a deleted user is not reported', async () => {
    const [ada, deleted] = await newUsers(2);
    await database.users.update({ deletedAt: new Date() }, { where: { id: deleted.id } });
    const beatAt = new Date(Date.now() - 61_000);
    const endedAt = new Date(Date.now() - 7_000_000);
    const [reported, sessions] = await database.transaction(async (transaction) => {
      const run = (statement: string, ...bind: unknown[]) =>
        database.execute<{ userId: number }>(statement, bind, transaction);
      await run(deadAndLiveSession, ada.id, beatAt, false);
      await run(deadAndLiveSession, deleted.id, beatAt, true);
      await run(
        `insert into sessions (user_id, node_id, address, ended_at)
         select $1, id, 'ended', $2::timestamptz from nodes where beat_at = $3 limit 1`,
        ...[ada.id, endedAt, beatAt],
      );
      const users = await run(endSessionsOfDeadNodes, 30);
      const state = 'select ended_at from sessions where user_id = $1 order by ended_at nulls last';
      return [users, await database.query<{ ended_at: Date | null }>(state, [ada.id], transaction)];
    });
    expect(sessions.map(({ ended_at }) => ended_at)).to.deep.equal([endedAt, beatAt, null]);
    expect(reported.filter(({ userId }) => userId >= ada.id)).to.deep.equal([]);
  });

  it('leave the time when their user was last seen as it is if that is later', async () => {
    const user = await newUser();
    const lastSeenAt = new Date(Date.now() - 50_000);
    await database.users.update({ lastSeenAt }, { where: { id: user.id } });
    const seen = async (beatAt: Date) => {
      await database.transaction(async (transaction) => {
        await database.execute(deadAndLiveSession, [user.id, beatAt, true], transaction);
        await database.execute(endSessionsOfDeadNodes, [30], transaction);
      });
      return (await database.users.findByPk(user.id))?.lastSeenAt;
    };
    expect(await seen(new Date(Date.now() - 60_000))).to.deep.equal(lastSeenAt);
    const later = new Date(lastSeenAt.getTime() + 10_000);
    expect(await seen(later)).to.deep.equal(later);
  });
});

/**
 * Inserts two sessions of the user $1: an open one on a node with its last heartbeat at $2, and one on a live node, which
 * has ended long ago if $3.
 */
const deadAndLiveSession = `
with node as (
  insert into nodes (id, beat_at)
  select gen_random_uuid(), beat_at from unnest(array[$2::timestamptz, clock_timestamp()]) beat_at
  returning id, beat_at = $2 as is_dead
)
insert into sessions (user_id, node_id, address, connected_at, ended_at)
select $1, id, '127.0.0.1', now() - interval '2 hours',
  case when not is_dead and $3::boolean then now() - interval '1 hour' end
from node
`;

describe('endSession', () => {
  it('closes the connection and revokes its token, for the socket and for HTTP', async () => {
    const ada = await newUser();
    const stolen = await login(ada);
    const here = await ada.connect();
    const there = await connectAs(stolen);
    const { data } = await here.done('listSessions');
    const { sessionId } = data.find(({ current }: { current: boolean }) => !current);
    for (let times = 0; times < 2; times++) await here.done('endSession', { sessionId });
    expect(await there.closed).to.equal(4401);
    expect(await connectAs(stolen).catch((error) => error.status)).to.equal(401);
    const change = { token: stolen, body: { username: `${ada.username}-x` } };
    expect((await http('PATCH', '/users/me', change)).status).to.equal(401);
    await connectAs(ada.token);
    await connectAs(await login(ada));
  });

  it('closes only the connection when it has the same token as the caller', async () => {
    const ada = await newUser();
    const [here, there] = [await ada.connect(), await ada.connect()];
    const [{ sessionId }] = (await here.done('listSessions')).data;
    await here.done('endSession', { sessionId });
    expect(await there.closed).to.equal(4401);
    await here.done('listSessions');
  });

  it('revokes the token of the caller after its reply, and closes all connections with it', async () => {
    for (const isNamed of [true, false]) {
      const ada = await newUser();
      const token = await login(ada);
      const [here, there, other] = [await connectAs(token), await connectAs(token), await ada.connect()];
      const { data } = await here.done('listSessions');
      const { sessionId } = data.find(({ current }: { current: boolean }) => current);
      expect((await here.call('endSession', isNamed ? { sessionId } : {})).success).to.equal(true);
      expect(await Promise.all([here.closed, there.closed])).to.deep.equal([4401, 4401]);
      expect(await connectAs(token).catch((error) => error.status)).to.equal(401);
      expect((await http('PATCH', '/users/me', { token, body: {} })).status).to.equal(401);
      await other.done('ping');
      await connectAs(await login(ada));
    }
  });

  it('runs no command that was sent after the end of the own token', async () => {
    const ada = await newUser();
    const here = await connectAs(await login(ada));
    here.send('privateMessage', { receiverId: ada.id, content: 'before' });
    here.send('endSession');
    for (let n = 0; n < 500; n++) here.send('privateMessage', { receiverId: ada.id, content: 'behind' });
    here.send('newGroup', { groupName: 'behind' });
    expect(await here.closed).to.equal(4401);
    const { data } = await (await ada.connect()).done('listLastMessage');
    expect(data.map((row: { content: string; unreadCount: number }) => row.content)).to.deep.equal([
      'before',
    ]);
  });

  it('revokes a token without a jti, and no other token of its user', async () => {
    const { id } = await newUser();
    const sign = (iat: number) => jwt.sign({ sub: String(id), ver: 1, iat }, JWT_SECRET, { expiresIn: 60 });
    const now = Math.floor(Date.now() / 1000);
    const [old, older] = [sign(now - 1), sign(now - 2)];
    const [here, there] = [await connectAs(old), await connectAs(older)];
    await here.done('endSession');
    expect(await here.closed).to.equal(4401);
    expect(await connectAs(old).catch((error) => error.status)).to.equal(401);
    await there.done('endOtherSessions');
    await there.done('ping');
    await connectAs(older);
  });

  it('refuses the sessions of others', async () => {
    const [ada, bob] = await newClients(2);
    const [{ sessionId }] = (await ada.client.done('listSessions')).data;
    expect(await bob.client.refused('endSession', { sessionId })).to.equal('NOT_FOUND');
    await ada.client.done('ping');
  });
});

describe('endOtherSessions', () => {
  it('closes every other connection and revokes every other token, also those without a connection', async () => {
    const ada = await newUser();
    const [one, two] = [await login(ada), await login(ada)];
    const here = await connectAs(one);
    const there = await ada.connect();
    await here.done('endOtherSessions');
    expect(await there.closed).to.equal(4401);
    for (const token of [two, ada.token])
      expect(await connectAs(token).catch((error) => error.status)).to.equal(401);
    await here.done('listSessions');
    await connectAs(one);
    await connectAs(await login(ada)); // logged in after
  });

  it('revokes tokens of older releases by their time of issue', async () => {
    const ada = await newUser();
    const sign = (seconds: number) => {
      const claims = { sub: String(ada.id), ver: 1, iat: Date.now() / 1000 + seconds };
      return jwt.sign(claims, JWT_SECRET, { expiresIn: 60, jwtid: `${ada.id} ${seconds}` });
    };
    const [kept, older] = [sign(0), sign(-1)];
    await (await connectAs(kept)).done('endOtherSessions');
    const change = async (token: string) => (await http('PATCH', '/users/me', { token, body: {} })).status;
    for (const token of [older, ada.token]) {
      expect(await connectAs(token).catch((error) => error.status)).to.equal(401);
      expect(await change(token)).to.equal(401);
    }
    await connectAs(kept);
    expect(await change(kept)).not.to.equal(401);
    await connectAs(sign(0.5)); // of a node that still runs the older version
  });

  it('ends no session that began after it, even if a node receives the signal late', async () => {
    const ada = await newUser();
    const here = await ada.connect();
    await here.done('endOtherSessions');
    const since = (await database.users.findByPk(ada.id))?.othersEndedAt?.getTime();
    const after = await connectAs(await login(ada));

    await addToOutbox(database, userTopic(ada.id), {
      signal: { kind: 'othersEnded', sessionId: id(2 ** 40), since },
    });
    await addToOutbox(database, userTopic(ada.id), { frame: encodePush('typing', null, 'Ada', {}) });
    await after.push('typing');
    expect((await after.call('ping')).success).to.equal(true);
    expect(await here.closed).to.equal(4401); // not the connection that the signal names
  });
});
