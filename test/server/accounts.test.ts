import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import pg from 'pg';
import { pino } from 'pino';
import type { Transaction } from 'sequelize';
import { finishDeletions } from '../../src/accounts/deleteAccount.ts';
import { createOutboxBus, reconcileEverywhere } from '../../src/bus/outbox.ts';
import { userTopic } from '../../src/bus/topics.ts';
import { fillFoldedNames } from '../../src/database/foldedNames.ts';
import type { MessageWriter } from '../../src/messages/MessageWriter.ts';
import { ApiError } from '../../src/protocol/errors.ts';
import {
  database,
  databaseUrl,
  http,
  metric,
  newGroup,
  newUser,
  newUsers,
  server,
  startServer,
} from '../support/harness.ts';
import { until } from '../support/until.ts';

let made = 0;
const account = () => {
  const username = `account${process.pid}-${++made}`;
  return { email: `${username}@example.com`, username, password: 'tops3cret' };
};

describe('POST /auth/register', () => {
  it('answers 201 with a token and the user, and never with the password or its hash', async () => {
    const body = account();
    const reply = await http('POST', '/auth/register', { body });
    expect(reply.status).to.equal(201);
    const { token, user } = reply.body;
    expect(Object.keys(reply.body)).to.have.members(['token', 'user']);
    expect(Object.keys(user)).to.have.members(['id', 'email', 'username', 'createdAt']);
    expect(user).to.include({ email: body.email, username: body.username });
    expect(user.id).to.be.a('number');
    expect(new Date(user.createdAt).toISOString()).to.equal(user.createdAt);
    expect(
      (await http('PATCH', '/users/me', { token, body: { username: `${body.username}.` } })).status,
    ).to.equal(200);
    const stored = await database.users.findByPk(user.id);
    expect(stored?.passwordHash).to.match(/^\$2[aby]\$10\$/);
  });

  it('refuses an email or a username that is taken, ignoring case', async () => {
    const taken = account();
    await http('POST', '/auth/register', { body: taken });
    const sameEmail = { ...account(), email: taken.email.toUpperCase() };
    const sameName = { ...account(), username: taken.username.toUpperCase() };
    const answers = await Promise.all(
      [sameEmail, sameName].map((body) => http('POST', '/auth/register', { body })),
    );
    expect(answers.map(({ status, body }) => [status, body])).to.deep.equal([
      [409, { error: true, code: 'CONFLICT', message: 'This email is taken' }],
      [409, { error: true, code: 'CONFLICT', message: 'This username is taken' }],
    ]);
  });

  it('ignores case beyond ASCII, and the two ways to spell an accent', async () => {
    const one = account();
    await http('POST', '/auth/register', { body: { ...one, username: `${one.username}Ünal\u00e9` } });
    for (const ending of ['ünal\u00e9', 'Ünale\u0301']) {
      const body = { ...account(), username: one.username + ending };
      expect((await http('POST', '/auth/register', { body })).status, ending).to.equal(409);
    }
    const spelled = { ...account(), username: `${account().username}e\u0301` };
    const { body } = await http('POST', '/auth/register', { body: spelled });
    expect(body.user.username).to.equal(spelled.username.normalize('NFC'));
  });

  it('creates one account when two equal registrations arrive at the same time', async () => {
    const body = account();
    const answers = await Promise.all([1, 2, 3].map(() => http('POST', '/auth/register', { body })));
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([201, 409, 409]);
  });

  it('refuses missing or invalid fields and names them', async () => {
    const good = account();
    const { email, ...noEmail } = good;
    const wrong: [unknown, string][] = [
      [noEmail, 'body.email is required'],
      [{ ...good, email: 'nobody' }, 'body.email must be a valid email'],
      [{ ...good, email: 7 }, 'body.email must be a string'],
      [
        { ...good, email: `${'x'.repeat(64)}@${'x.'.repeat(93)}xyz1` },
        'body.email must have at most 254 characters',
      ],
      [{ ...good, username: 'x'.repeat(65) }, 'body.username must have at most 64 characters'],
      [{ ...good, username: 'two words' }, 'body.username must match ^[\\p{L}\\p{M}\\p{N}_.-]+$'],
      [{ ...good, username: '' }, 'body.username must have at least 1 characters'],
      [{ ...good, password: 'short' }, 'body.password must have at least 8 characters'],
      [
        { ...good, password: 'ü'.repeat(40) },
        'body.password must be well-formed Unicode of at most 72 bytes',
      ],
      [{ ...good, admin: true }, 'body.admin is not known; expected only email, username, password'],
      [{ ...good, username: 'nul\0' }, 'body.username must match ^[\\p{L}\\p{M}\\p{N}_.-]+$'],
      [[good], 'body must be an object'],
      [null, 'body must be an object'],
      ['{"email":', 'body must be JSON in UTF-8'],
      ['', 'body must be JSON in UTF-8'],
    ];
    for (const [body, message] of wrong) {
      const reply = await http('POST', '/auth/register', { body });
      expect([reply.status, reply.body]).to.deep.equal([400, { error: true, code: 'BAD_REQUEST', message }]);
    }
  });

  it('is refused where registration is closed, and nothing is stored', async () => {
    const closed = await startServer({ REGISTRATION: 'off' });
    try {
      const body = account();
      const reply = await http('POST', '/auth/register', { body, url: closed.url });
      expect([reply.status, reply.body.code]).to.deep.equal([403, 'FORBIDDEN']);
      expect(await database.users.count({ where: { username: body.username } })).to.equal(0);
      const { username, password } = await newUser();
      const login = await http('POST', '/auth/login', { body: { username, password }, url: closed.url });
      expect(login.status).to.equal(200);
    } finally {
      await closed.close();
    }
  });
});

describe('POST /auth/login', () => {
  it('accepts the email or the username in any case', async () => {
    const { id, email, username, password } = await newUser();
    for (const name of [
      { email },
      { username },
      { email: email.toUpperCase() },
      { username: username.toUpperCase() },
    ]) {
      const reply = await http('POST', '/auth/login', { body: { ...name, password } });
      expect(reply.status).to.equal(200);
      expect(reply.body.user).to.include({ id, email, username });
      expect(Object.keys(reply.body)).to.have.members(['token', 'user']);
    }
  });

  it('accepts an email that was changed by SQL, and the one before it no more', async () => {
    const { id, email, password } = await newUser();
    await database.transaction(async (transaction) => {
      // The setting is what distinguishes the server, which folds names itself.
      await database.execute(`select set_config('parley.folds_names', 'off', true)`, [], transaction);
      await database.execute('update users set email = $2 where id = $1', [id, `new-${email}`], transaction);
    });
    await fillFoldedNames(database);
    const login = async (name: string) =>
      (await http('POST', '/auth/login', { body: { email: name, password } })).status;
    expect([await login(`NEW-${email}`), await login(email)]).to.deep.equal([200, 401]);
  });

  it('gives the same answer for an unknown account and for a wrong password', async () => {
    const { username, password } = await newUser();
    const [wrong, unknown] = await Promise.all([
      http('POST', '/auth/login', { body: { username, password: `${password}!` } }),
      http('POST', '/auth/login', { body: { username: 'nobody-here', password } }),
    ]);
    expect([wrong.status, unknown.status]).to.deep.equal([401, 401]);
    expect(wrong.body).to.deep.equal(unknown.body);
    expect(wrong.body).to.include({ error: true, code: 'UNAUTHORIZED' });
  });

  it('takes a password of up to 1024 characters to compare', async () => {
    const { username } = await newUser();
    const logIn = (length: number) =>
      http('POST', '/auth/login', { body: { username, password: 'x'.repeat(length) } });
    expect((await logIn(1_024)).status).to.equal(401);
    expect((await logIn(1_025)).body.message).to.equal('body.password must have at most 1024 characters');
  });

  it('refuses a body with neither name, with both names, or without a password', async () => {
    const { email, username, password } = await newUser();
    for (const body of [
      { password },
      { email, username, password },
      { username },
      { username: 1, password },
      {},
    ])
      expect((await http('POST', '/auth/login', { body })).body).to.include({
        error: true,
        code: 'BAD_REQUEST',
      });
  });
});

describe('PATCH /users/me', () => {
  it('changes the username without the password', async () => {
    const { id, token, email, username } = await newUser();
    const reply = await http('PATCH', '/users/me', { token, body: { username: `${username}-new` } });
    expect(reply.status).to.equal(200);
    expect(Object.keys(reply.body)).to.deep.equal(['user']);
    expect(reply.body.user).to.include({ id, email, username: `${username}-new` });
  });

  it('changes the email and the password with the current password only', async () => {
    const { token, username, password } = await newUser();
    const email = `${username}-new@example.com`;
    const update = (body: object) => http('PATCH', '/users/me', { token, body });
    expect(await update({ email })).to.deep.include({ status: 400 });
    expect((await update({ email, currentPassword: 'guessed' })).body).to.include({ code: 'FORBIDDEN' });
    expect((await update({ password: 'another one', currentPassword: 'guessed' })).status).to.equal(403);
    expect((await update({ email, currentPassword: password })).body.user.email).to.equal(email);
  });

  it('answers a new password with a new token and revokes the old tokens', async () => {
    const { token, username, password } = await newUser();
    const reply = await http('PATCH', '/users/me', {
      token,
      body: { password: 'a new password', currentPassword: password },
    });
    expect(reply.status).to.equal(200);
    expect(reply.body.token).to.be.a('string');

    const rename = (bearer: string) => http('PATCH', '/users/me', { token: bearer, body: { username } });
    expect((await rename(token)).status).to.equal(401);
    expect((await rename(reply.body.token)).status).to.equal(200);
    const logIn = (secret: string) => http('POST', '/auth/login', { body: { username, password: secret } });
    expect((await logIn(password)).status).to.equal(401);
    expect((await logIn('a new password')).status).to.equal(200);
  });

  it('has every node compare the connections of the user after a new password, and after no other change', async () => {
    const { id, token, username, email, password } = await newUser();
    const written = () =>
      database.query<{ kind: string }>(
        `select message->'signal'->>'kind' as kind from notices where topic = $1`,
        [userTopic(id)],
      );
    const change = (body: object) => http('PATCH', '/users/me', { token, body });
    expect((await change({ username: `${username}-2` })).status).to.equal(200);
    expect((await change({ email: `2${email}`, currentPassword: password })).status).to.equal(200);
    expect(await written()).to.deep.equal([]);
    await change({ password: 'a new password', currentPassword: password });
    expect(await written()).to.deep.equal([{ kind: 'reconcile' }]);
  });

  it('lets one of two new passwords win that arrive at the same time, and refuses the other', async () => {
    const { token, username, password } = await newUser();
    const wanted = ['the first password', 'the second password'];
    const answers = await Promise.all(
      wanted.map((secret) =>
        http('PATCH', '/users/me', { token, body: { password: secret, currentPassword: password } }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 401]);
    for (const [n, { status }] of answers.entries()) {
      const reply = await http('POST', '/auth/login', { body: { username, password: wanted[n] } });
      expect(reply.status).to.equal(status);
    }
    const renewed = answers.find(({ status }) => status === 200)?.body.token;
    expect((await http('PATCH', '/users/me', { token: renewed, body: { username } })).status).to.equal(200);
  });

  it('closes the connections to all nodes with a new password, and with the account', async () => {
    const [ada, bob] = await newUsers(2);
    const other = await startServer();
    const elsewhere = [await ada.connect(other.url), await bob.connect(other.url)];
    const body = { password: 'a new password', currentPassword: ada.password };
    await http('PATCH', '/users/me', { token: ada.token, body });
    await http('DELETE', '/users/me', { token: bob.token, body: { password: bob.password } });
    for (const client of elsewhere) expect(await client.closed).to.equal(4401);
    await other.close();
  });

  it('refuses taken names, invalid fields, an empty change, and a missing token', async () => {
    const [ada, bob] = await newUsers(2);
    const update = (body: unknown, token: string = ada.token) => http('PATCH', '/users/me', { token, body });
    expect((await update({ username: bob.username.toUpperCase() })).body).to.include({ code: 'CONFLICT' });
    expect((await update({ email: bob.email, currentPassword: ada.password })).status).to.equal(409);
    expect((await update({ username: ada.username.toUpperCase() })).status).to.equal(200);
    for (const body of [{}, { id: 1 }, { username: null }, { currentPassword: ada.password }])
      expect((await update(body)).body).to.include({ code: 'BAD_REQUEST' });
    expect((await http('PATCH', '/users/me', { body: {} })).status).to.equal(401);
  });
});

/** Inserts $2 ended sessions of the user $1. */
const endedSessions = `
insert into sessions (user_id, node_id, address, ended_at)
select $1, gen_random_uuid(), '127.0.0.1', now() from generate_series(1, $2::int)
`;

describe('DELETE /users/me', () => {
  it('ends the account: the login and the token are refused, and its names are free again', async () => {
    const { id, token, email, username, password } = await newUser();
    const reply = await http('DELETE', '/users/me', { token, body: { password } });
    expect([reply.status, reply.body]).to.deep.equal([204, '']);

    expect((await http('POST', '/auth/login', { body: { username, password } })).status).to.equal(401);
    expect((await http('PATCH', '/users/me', { token, body: { username } })).status).to.equal(401);
    expect(await database.users.findByPk(id)).to.include({ email: null, username: null, passwordHash: null });
    const again = await http('POST', '/auth/register', { body: { email, username, password } });
    expect(again.status).to.equal(201);
    expect(again.body.user.id).not.to.equal(id);
  });

  it('removes the user from their groups and keeps the messages', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(), await bob.connect()];
    const { groupId } = (await a.call('newGroup', { groupName: 'Crew' })).params;
    await a.call('addUserInGroup', { groupId, userId: bob.id });
    await b.call('messageInGroup', { groupId, content: 'I was here' });
    await b.done('privateMessage', { receiverId: ada.id, content: 'and here' });
    await http('DELETE', '/users/me', { token: bob.token, body: { password: bob.password } });

    await a.push('leaveGroup');
    expect(await database.members.count({ where: { chatId: groupId } })).to.equal(1);
    const [left, row] = (await a.call('getlatestMessageGroup', { groupId })).params.data;
    expect(left).to.include({ kind: 'system', content: 'Deleted user left the group' });
    expect(row).to.include({ content: 'I was here', senderName: 'Deleted user', sender_id: bob.id });
    expect(await database.members.count({ where: { userId: bob.id } }), 'of the dialog').to.equal(1);
    const { data } = await a.done('getMessages', { receiverId: bob.id });
    expect(data).to.have.length(1);
  });

  it('removes the user from all groups while another member removes the user from one of them', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(), await bob.connect()];
    const groupIds: number[] = [];
    for (let n = 0; n < 3; n++) groupIds.push(await newGroup(a, bob));
    const [, second] = groupIds;
    const remover = new pg.Client(databaseUrl());
    await remover.connect();
    await remover.query('begin');
    await remover.query('select from chats where id = $1 for no key update', [second]);
    const deletion = http('DELETE', '/users/me', { token: bob.token, body: { password: bob.password } });
    await a.push('leaveGroup'); // of the first group; the deletion waits for the second now
    expect((await deletion).status).to.equal(204); // the answer does not wait for it
    expect(await b.closed).to.equal(4401);
    await remover.query('delete from chat_members where chat_id = $1 and user_id = $2', [second, bob.id]);
    await remover.query('commit');
    await remover.end();

    await until(async () => (await database.members.count({ where: { userId: bob.id } })) === 0);
  });

  it('removes the user from many groups after the answer, and another node finishes the work of a node that stops', async () => {
    const [ada, bob] = await newUsers(2);
    const a = await ada.connect();
    const groupIds: number[] = [];
    for (let n = 0; n < 24; n++)
      groupIds.push((await a.done('newGroup', { groupName: 'Crew', userIds: [bob.id] })).groupId);
    const holder = new pg.Client(databaseUrl());
    await holder.connect();
    await holder.query('begin');
    await holder.query('select from chats where id = $1 for no key update', [groupIds[21]]);
    const node = await startServer();
    const body = { password: bob.password };
    expect((await http('DELETE', '/users/me', { token: bob.token, body, url: node.url })).status).to.equal(
      204,
    );
    const left = () => database.members.count({ where: { userId: bob.id } });
    await until(async () => (await left()) === 3);
    const stopped = node.close();
    await holder.query('commit');
    await holder.end();
    await stopped;
    expect(await left()).to.be.above(0);

    const due = `update deletions set created_at = created_at - interval '2 minutes' where user_id = $1 returning user_id`;
    expect(await database.execute(due, [bob.id])).to.have.length(1);
    const next = await startServer();
    await until(async () => (await left()) === 0);
    await next.close();
    expect((await a.call('getGroup', { groupId: groupIds[23] })).params.data.memberCount).to.equal(1);
  });

  it('is answered without an error when it is repeated, at the same time or later', async () => {
    const [ada, bob] = await newUsers(2);
    const a = await ada.connect();
    await newGroup(a, bob);
    const remove = () => http('DELETE', '/users/me', { token: bob.token, body: { password: bob.password } });
    const answers = (await Promise.all([remove(), remove(), remove()])).map(({ status }) => status);
    expect(answers).to.include(204);
    expect(answers.filter((status) => status !== 204 && status !== 401)).to.deep.equal([]);
    expect((await remove()).status).to.equal(401);
    await until(async () => (await database.members.count({ where: { userId: bob.id } })) === 0);
    const renames = (await a.rest()).filter(({ type }) => type === 'updateProfile');
    expect(renames).to.have.length(1);
  });

  it('deletes sessions (those of open connections too), blocks, and invites, and none of others', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(), await bob.connect()];
    const { groupId } = await b.done('newGroup', { groupName: 'Crew', userIds: [ada.id] });
    await b.done('blockUser', { userId: ada.id });
    await b.done('setMemberRole', { groupId, userId: ada.id, role: 'admin' });
    await a.done('blockUser', { userId: bob.id });
    const { code } = (await b.done('createInvite', { groupId })).data;
    const { code: othersCode } = (await a.done('createInvite', { groupId })).data;
    await b.done('listSessions'); // the sessions are recorded
    await database.execute(endedSessions, [bob.id, 2_100]); // more than one statement deletes
    await http('DELETE', '/users/me', { token: bob.token, body: { password: bob.password } });
    await b.closed;
    await until(async () => (await metric(server, 'parley_users')) === 1);
    await a.done('listSessions'); // the sessions of this node are recorded

    const kept = (statement: string) => database.query(statement, [bob.id]);
    expect(await kept('select address from sessions where user_id = $1')).to.deep.equal([]);
    expect(await kept('select from blocks where user_id = $1')).to.deep.equal([]);
    const other = await (await newUser()).connect();
    expect(await other.refused('joinByInvite', { code })).to.equal('NOT_FOUND');
    await other.done('joinByInvite', { code: othersCode });
    const { data } = await a.done('listBlockedUsers');
    expect(data.map(({ userId }: { userId: number }) => userId)).to.deep.equal([bob.id]);
  });

  it('is finished by the next node that starts after it was interrupted, including rows added since', async () => {
    const [ada, bob] = await newUsers(2);
    const groupId = await newGroup(await ada.connect(), bob);
    await database.blocks.create({ userId: bob.id, blockedId: ada.id });
    const code = `late-${bob.id}`;
    await database.invites.create({ chatId: groupId, code, createdBy: bob.id });
    await database.execute(endedSessions, [bob.id, 1]);
    // as a node leaves it that dies after the first transaction
    await database.users.update(
      { email: null, username: null, passwordHash: null, deletedAt: new Date() },
      { where: { id: bob.id } },
    );
    await database.execute(
      "insert into deletions (user_id, created_at) values ($1, clock_timestamp() - interval '2 minutes')",
      [bob.id],
    );
    const node = await startServer();
    await until(
      async () => (await database.query('select from deletions where user_id = $1', [bob.id])).length === 0,
    );
    expect(await database.members.count({ where: { chatId: groupId, userId: bob.id } })).to.equal(0);
    expect(await database.blocks.count({ where: { userId: bob.id } })).to.equal(0);
    expect((await database.invites.findOne({ where: { code } }))?.revokedAt).to.be.instanceOf(Date);
    expect(await database.query('select from sessions where user_id = $1', [bob.id])).to.deep.equal([]);
    await node.close();
  });

  it('is finished although an earlier deletion cannot be finished, but not within its first minute', async () => {
    const [ada, bob, cleo] = await newUsers(3);
    await database.execute('insert into deletions (user_id) values ($1)', [cleo.id]);
    for (const [index, { id }] of [ada, bob].entries()) {
      await database.users.update(
        { email: null, username: null, passwordHash: null, deletedAt: new Date() },
        { where: { id } },
      );
      const due = `insert into deletions (user_id, created_at) values ($1, clock_timestamp() - $2 * interval '1 minute')`;
      await database.execute(due, [id, 10 - index]);
    }
    const query: typeof database.query = async <Row extends object>(
      sql: string,
      bind: readonly unknown[],
      transaction?: Transaction,
    ) => {
      if (!transaction && sql.includes('chat_members') && bind[0] === ada.id) throw new Error('a fault');
      return database.query<Row>(sql, bind, transaction);
    };
    const failed: unknown[] = [];
    const log = pino({ level: 'error' }, { write: (line: string) => failed.push(JSON.parse(line).userId) });
    const services = { db: { ...database, query, execute: query }, bus: createOutboxBus(database), log };
    const deletions = finishDeletions({ ...services, writer: undefined as unknown as MessageWriter }); // in no group
    const isDue = async ({ id }: { id: number }) =>
      (await database.query('select from deletions where user_id = $1', [id])).length > 0;
    await until(async () => !(await isDue(bob)));
    await deletions.close();
    expect(failed).to.deep.equal([ada.id]);
    expect(await isDue(cleo)).to.equal(true);
    await database.execute('delete from deletions where user_id in ($1, $2)', [ada.id, cleo.id]);
  });

  it('is not finished while a group cannot be left, and leaves the others', async () => {
    const [ada, bob, cleo] = await newUsers(3);
    const c = await cleo.connect();
    const groupIds = [await newGroup(c, ada), await newGroup(c, ada), await newGroup(c, ada)];
    await database.execute(endedSessions, [ada.id, 1]);
    const due = `insert into deletions (user_id, created_at) values ($1, clock_timestamp() - $2 * interval '1 minute')`;
    for (const [index, { id }] of [ada, bob].entries()) await database.execute(due, [id, 10 - index]);
    const failed: unknown[] = [];
    const log = pino({ level: 'error' }, { write: (line: string) => failed.push(JSON.parse(line).groupId) });
    const writer = {
      async change(_: unknown, groupId: number | null) {
        // The second one is closed at this moment.
        throw groupId === groupIds[1] ? new ApiError('NOT_FOUND') : new Error('a fault');
      },
    };
    const deletions = finishDeletions({ db: database, bus: createOutboxBus(database), log, writer });
    const dueOf = ({ id }: { id: number }) =>
      database.query('select from deletions where user_id = $1', [id]);
    await until(async () => (await dueOf(bob)).length === 0); // which comes after Ada's
    await deletions.close();
    expect(failed).to.deep.equal([groupIds[0], groupIds[2]]);
    expect(await dueOf(ada)).to.have.length(1);
    expect(await database.query('select from sessions where user_id = $1', [ada.id])).to.deep.equal([]);
    await database.execute('delete from deletions where user_id = $1', [ada.id]);
  });

  it('refuses a wrong or missing password, and a missing token', async () => {
    const { token, password } = await newUser();
    expect((await http('DELETE', '/users/me', { token, body: { password: 'guessed' } })).status).to.equal(
      403,
    );
    expect((await http('DELETE', '/users/me', { token, body: {} })).status).to.equal(400);
    expect((await http('DELETE', '/users/me', { token })).status).to.equal(400);
    expect((await http('DELETE', '/users/me', { body: { password } })).status).to.equal(401);
    expect((await http('PATCH', '/users/me', { token, body: { username: 'still-here' } })).status).to.equal(
      200,
    );
  });
});

describe('a token', () => {
  it('of a disabled user is refused by HTTP and by the upgrade, and its connections are closed', async () => {
    const { id, token, username, connect } = await newUser();
    const client = await connect();
    await database.transaction(async (transaction) => {
      // without the new version of tokens that `user disable` writes in addition
      await database.users.update({ disabledAt: new Date() }, { where: { id }, transaction });
      await reconcileEverywhere(database, id, transaction);
    });
    expect(await client.closed).to.equal(4401);
    expect((await http('PATCH', '/users/me', { token, body: { username } })).status).to.equal(401);
    expect(await connect().catch(({ status }) => status)).to.equal(401);
    await database.users.update({ disabledAt: null }, { where: { id } });
    await (await connect()).done('ping');
  });

  it('expires after a day unless configured otherwise', async () => {
    const { iat, exp } = jwt.decode((await newUser()).token) as { iat: number; exp: number };
    expect(exp - iat).to.equal(24 * 60 * 60);
  });
});
