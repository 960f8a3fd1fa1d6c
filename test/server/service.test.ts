import { expect } from 'chai';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { revokeKey } from '../../src/auth/serviceKeys.ts';
import type { ConnectionId, KeyId } from '../../src/ids.ts';
import { ServiceConnections } from '../../src/socket/ServiceConnections.ts';
import { open } from '../support/client.ts';
import {
  connectAs,
  connectService,
  database,
  http,
  newClients,
  newGroup,
  newKey,
  newUser,
  newUsers,
  server,
  startServer,
} from '../support/harness.ts';
import { until } from '../support/until.ts';

/** Resolves to the status with which an upgrade is refused. */
const refusedUpgrade = (token: string, url = server.url): Promise<number> =>
  connectAs(token, url).then(
    () => expect.fail('the upgrade was not refused'),
    ({ status }) => status,
  );

/** Resolves to the time at which a key was last used. */
async function lastUse(id: KeyId): Promise<Date | null | undefined> {
  const statement = 'select last_used_at as at from service_keys where id = $1';
  const [row] = await database.query<{ at: Date | null }>(statement, [id]);
  return row?.at;
}

const disable = 'update users set disabled_at = clock_timestamp() where id = $1';

describe('an API key', () => {
  it('opens a service connection in the header Authorization, and nowhere else', async () => {
    const { key } = await newKey('act');
    await (await connectAs(key)).done('ping');
    const url = server.url.replace('http', 'ws');
    for (const socket of [
      new WebSocket(`${url}?token=${key}`),
      new WebSocket(`${url}?key=${key}`),
      new WebSocket(url, ['auth', key]),
    ])
      expect(await open(socket).catch(({ status }) => status)).to.equal(401);
    expect((await http('PATCH', '/users/me', { token: key, body: { username: 'x' } })).status).to.equal(401);
  });

  it('is refused with a wrong secret, another id, or in another form', async () => {
    const [{ key, id }, other] = [await newKey('act'), await newKey('act')];
    for (const wrong of [
      `pk_${id}_${other.key.slice(-43)}`,
      `pk_999999999_${key.slice(-43)}`,
      key.slice(0, -1),
      `${key}x`,
      'pk_',
    ])
      expect(await refusedUpgrade(wrong), wrong).to.equal(401);
  });

  it('has the time of its last use from the upgrade on', async () => {
    const { key, id } = await newKey('act');
    expect(await lastUse(id)).to.equal(null);
    await connectAs(key);
    expect(await lastUse(id)).to.be.a('date');
  });

  it('is compared with the database now and then: its use is noted, and a lost revocation ends its connections', async () => {
    const { id } = await newKey('act');
    const bus = { subscribe: () => () => {} };
    const ids = { newId: () => 1 as ConnectionId };
    const log = pino({ enabled: false });
    const connections = new ServiceConnections(database, bus, ids, { publish: () => {} }, log, 20);
    const connection = connections.register({ id, name: 'a key', scopes: ['act'] }, '127.0.0.1', null);
    connection.isUsed = true;
    await until(async () => (await lastUse(id)) !== null);
    const noted = await lastUse(id);
    expect(connection.isUsed).to.equal(false);
    await database.execute('update service_keys set revoked_at = now() where id = $1', [id]);
    await until(() => connection.state === 'closed');
    expect(await lastUse(id)).to.deep.equal(noted);
    connections.remove(connection);
    await connections.close();
  });

  it('ends its connections within a second when it is revoked, and opens no others', async () => {
    const { key, id } = await newKey('act');
    const [one, two, other] = [await connectAs(key), await connectAs(key), await connectService('act')];
    await revokeKey(database, id);
    expect(await Promise.all([one.closed, two.closed])).to.deep.equal([4401, 4401]);
    expect(await refusedUpgrade(key)).to.equal(401);
    await other.done('ping');
  });
});

describe('a request of a service connection', () => {
  it('runs as the user that it names: the reply is the service’s, and the pushes are those of the user', async () => {
    const [ada, bob] = await newClients(2);
    await database.users.update({ externalId: `u-${ada.id}` }, { where: { id: ada.id } });
    const service = await connectService('act');
    for (const as of [{ userId: ada.id }, { externalId: `u-${ada.id}` }]) {
      const params = { receiverId: bob.id, content: 'Hi' };
      const reply = await service.call('privateMessage', params, as);
      expect(reply).to.have.all.keys('type', 'success', 'params', 'id');
      expect(reply.params).to.include({ data: null, message: null, senderName: null });
      for (const { client } of [ada, bob])
        expect((await client.push('privateMessage')).params).to.include({
          ...{ senderName: ada.username, senderId: ada.id, messageId: reply.params.messageId },
        });
    }
    const { data } = await service.done('getProfile', {}, { userId: ada.id });
    expect(data).to.include({ userId: ada.id, email: ada.email });
  });

  it('has the rights of the user, and no others', async () => {
    const [owner, outsider] = await newClients(2);
    const groupId = await newGroup(owner.client);
    const service = await connectService('act');
    const send = (as: object) => service.call('messageInGroup', { groupId, content: 'x' }, as);
    expect((await send({ userId: outsider.id })).code).to.equal('NOT_A_MEMBER');
    expect((await send({ userId: owner.id })).success).to.equal(true);
    expect((await service.call('deleteGroup', { groupId }, { userId: outsider.id })).code).to.equal(
      'NOT_A_MEMBER',
    );
  });

  it('that names no user, or both ways, or the wrong type, is refused, and the connection stays open', async () => {
    const service = await connectService('act');
    for (const [as, message] of [
      [null, 'as must be an object'],
      [[], 'as must be an object'],
      [7, 'as must be an object'],
      ['u-7', 'as must be an object'],
      [{}, 'as must have exactly one of userId, externalId'],
      [{ userId: 1, externalId: 'u' }, 'as must have exactly one of userId, externalId'],
      [{ userId: '1' }, 'as.userId must be an integer'],
      [{ userId: 0 }, 'as.userId must be at least 1'],
      [{ userId: null }, 'as.userId must be an integer'],
      [{ externalId: '' }, 'as.externalId must have at least 1 characters'],
      [{ externalId: 7 }, 'as.externalId must be a string'],
      [{ externalId: '\0' }, 'as.externalId must be well-formed Unicode without NUL (U+0000)'],
      [{ externalId: 'x'.repeat(256) }, 'as.externalId must have at most 255 characters'],
      [{ userId: 1, name: 'x' }, 'as.name is not known; expected only userId, externalId'],
    ] as const) {
      const { code, message: told } = await service.call('getProfile', {}, as);
      expect([code, told], JSON.stringify(as)).to.deep.equal(['BAD_REQUEST', message]);
    }
    await service.done('ping');
  });

  it('as a user who does not exist, is deleted or disabled is refused', async () => {
    const [deleted, disabled] = await newUsers(2);
    await http('DELETE', '/users/me', { token: deleted.token, body: { password: deleted.password } });
    await database.execute(disable, [disabled.id]);
    const service = await connectService('act');
    for (const [as, code] of [
      [{ userId: 999_999_999 }, 'NOT_FOUND'],
      [{ externalId: 'nobody' }, 'NOT_FOUND'],
      [{ userId: deleted.id }, 'NOT_FOUND'],
      [{ userId: disabled.id }, 'FORBIDDEN'],
    ] as const)
      expect(await service.refused('listLastMessage', {}, as), JSON.stringify(as)).to.equal(code);
  });

  it('without as runs service commands alone, and with as commands of users alone', async () => {
    const user = await newUser();
    const service = await connectService('act');
    const as = { userId: user.id };
    for (const [type, whom, code, message] of [
      ['listLastMessage', undefined, 'BAD_REQUEST', 'listLastMessage needs as'],
      ['listLastMessages', undefined, 'UNKNOWN_TYPE', 'did you mean "listLastMessage"?'],
      ['listLastMessages', as, 'UNKNOWN_TYPE', 'did you mean "listLastMessage"?'],
      ['subscribePresence', as, 'BAD_REQUEST', 'is about the connection of a user'],
      ['unsubscribePresence', as, 'BAD_REQUEST', 'is about the connection of a user'],
      ['endSession', as, 'BAD_REQUEST', 'is about the connection of a user'],
      ['endOtherSessions', as, 'BAD_REQUEST', 'is about the connection of a user'],
    ] as const) {
      const reply = await service.call(type, {}, whom);
      expect([reply.code, reply.message.includes(message)], type).to.deep.equal([code, true]);
    }
  });

  it('needs the scope act, which the refusal names', async () => {
    const user = await newUser();
    const service = await connectService('users');
    const reply = await service.call('listLastMessage', {}, { userId: user.id });
    expect([reply.code, reply.message]).to.deep.equal(['FORBIDDEN', 'This key does not have the scope act']);
  });

  it('is answered with its id when it cannot be read', async () => {
    const service = await connectService('act');
    service.socket.send('no JSON');
    expect(await service.next()).to.include({ type: 'unknown', code: 'BAD_REQUEST' });
    service.socket.send(Buffer.from('{}'));
    expect((await service.next()).message).to.include('binary');
    service.socket.send('{"type":7,"id":"a"}');
    expect(await service.next()).to.include({ code: 'BAD_REQUEST', id: 'a' });
  });
});

describe('a request as the owner', () => {
  it('changes the group and its messages with the rights of the owner, who is named in the pushes', async () => {
    const service = await connectService('groups');
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob);
    await service.done('addUserInGroup', { groupId, userId: cleo.id }, 'owner');
    const { params } = await bob.client.push('addUserInGroup');
    expect(params).to.include({ senderId: ada.id, senderName: ada.username });
    await service.done('updateGroup', { groupId, groupName: 'Order 7' }, 'owner');
    const { messageId } = await bob.client.done('messageInGroup', { groupId, content: 'hello' });
    await service.done('pinMessage', { messageId }, 'owner');
    await service.done('deleteMessage', { messageId }, 'owner');
    expect((await cleo.client.push('deleteMessage')).params).to.include({ messageId, senderId: ada.id });
    expect((await service.done('listGroupMembers', { groupId }, 'owner')).data).to.have.length(3);
  });

  it('runs as the present one, also if the account is disabled', async () => {
    const service = await connectService('groups');
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await service.done('transferOwnership', { groupId, userId: bob.id }, 'owner');
    await database.execute(disable, [bob.id]);
    await service.done('setMemberRole', { groupId, userId: ada.id, role: 'member' }, 'owner');
    expect((await ada.client.push('setMemberRole')).params.senderId).to.equal(bob.id);
  });

  it('of a group or message that is not there, or in a dialog, is refused', async () => {
    const service = await connectService('groups');
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    await service.done('deleteGroup', { groupId }, 'owner');
    for (const [type, params, message] of [
      ['getGroup', { groupId: 999_999_999 }, 'There is no group 999999999'],
      ['updateGroup', { groupId, groupName: 'x' }, `There is no group ${groupId}`],
      ['deleteMessage', { messageId: 999_999_999 }, 'There is no message 999999999 in a group'],
      ['pinMessage', { messageId }, `There is no message ${messageId} in a group`],
    ] as const) {
      const reply = await service.call(type, params, 'owner');
      expect([reply.code, reply.message]).to.deep.equal(['NOT_FOUND', message]);
    }
  });

  it('without a group, or of a command that manages none, is refused', async () => {
    const service = await connectService('groups', 'act');
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    for (const [type, params, message] of [
      ['addUserInGroup', {}, 'params.groupId is required'],
      ['addUserInGroup', { groupId: '7', userId: bob.id }, 'params.groupId must be'],
      ['addUserInGroup', undefined, 'params'],
      ['deleteMessage', { messageId: 0 }, 'params.messageId must be'],
      ['deleteMessage', null, 'params'],
      ['messageInGroup', { groupId, content: 'x' }, 'messageInGroup does not manage a group'],
      ['markRead', { groupId, seq: 1 }, 'markRead does not manage a group'],
    ] as const) {
      const reply = await service.call(type, params, 'owner');
      expect([reply.code, reply.message.includes(message)], `${type} ${reply.message}`).to.deep.equal([
        'BAD_REQUEST',
        true,
      ]);
    }
  });
});

describe('as on the connection of a user', () => {
  it('is refused, whatever it is, and the connection stays open', async () => {
    const [ada, bob] = await newClients(2);
    for (const as of [{ userId: ada.id }, { userId: bob.id }, {}, null, 7, 'x', []]) {
      const reply = await ada.client.call('listLastMessage', {}, as);
      expect([reply.code, reply.message], JSON.stringify(as)).to.deep.equal([
        'BAD_REQUEST',
        'as is only for service connections, which present an API key',
      ]);
    }
    await ada.client.done('listLastMessage');
  });
});

describe('requests of a service connection', () => {
  it('keep their order for one user, however the user is named', async () => {
    const [ada, bob] = await newClients(2);
    await database.users.update({ externalId: `o-${ada.id}` }, { where: { id: ada.id } });
    const service = await connectService('act');
    const ids = Array.from({ length: 40 }, (_, n) =>
      service.send(
        'privateMessage',
        { receiverId: bob.id, content: `${n}` },
        n % 3 === 0 ? { userId: ada.id } : { externalId: `o-${ada.id}` },
      ),
    );
    const replies = await Promise.all(ids.map((id) => service.reply(id)));
    expect(replies.map(({ params }) => params.seq)).to.deep.equal(ids.map((_, n) => n + 1));
    for (const n of ids.keys())
      expect((await bob.client.push('privateMessage')).params.message).to.equal(`${n}`);
  });

  it('of other users do not wait for a slow one, nor fail with one that fails', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob);
    const service = await connectService('act');
    const held = await database.sequelize.transaction();
    await database.query('select id from chats where id = $1 for update', [groupId], held);
    const slow = service.send('updateGroup', { groupId, description: 'x' }, { userId: ada.id });
    const behind = service.send('getProfile', {}, { userId: ada.id });
    expect(await service.refused('getProfile', { userId: 0 }, { userId: bob.id })).to.equal('BAD_REQUEST');
    expect(await service.refused('getProfile', {}, { externalId: 'nobody' })).to.equal('NOT_FOUND');
    expect((await service.done('getProfile', {}, { userId: cleo.id })).data.userId).to.equal(cleo.id);
    await service.done('ping');
    await held.commit();
    const order = [await service.next(), await service.next()];
    expect(order.map(({ id }) => id)).to.deep.equal([slow, behind]);
    expect(order.map(({ success }) => success)).to.deep.equal([true, true]);
  });

  it('as a user who is disabled in the meantime are refused', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const service = await connectService('act');
    const held = await database.sequelize.transaction();
    await database.query('select id from chats where id = $1 for update', [groupId], held);
    const slow = service.send('updateGroup', { groupId, description: 'x' }, { userId: ada.id });
    const behind = service.send('privateMessage', { receiverId: bob.id, content: 'x' }, { userId: ada.id });
    const waits = `select from pg_stat_activity where wait_event_type = 'Lock' and query ~ 'chats'`;
    await until(async () => (await database.query(waits, [])).length > 0);
    await database.execute(disable, [ada.id]);
    await held.commit();
    expect((await service.reply(slow)).success).to.equal(true);
    expect((await service.reply(behind)).code).to.equal('FORBIDDEN');
  });

  it('are limited together: a connection with too many unanswered ones is closed', async () => {
    const own = await startServer({ UNANSWERED_PER_CONNECTION: '10' });
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const service = await connectAs((await newKey('act')).key, own.url);
    const held = await database.sequelize.transaction();
    await database.query('select id from chats where id = $1 for update', [groupId], held);
    for (let n = 0; n < 6; n++)
      for (const { id } of [ada, bob])
        service.send('updateGroup', { groupId, description: 'x' }, { userId: id });
    expect(await service.closed).to.equal(4429);
    await held.commit();
    await own.close();
  });

  it('have rate limits of their key, which take nothing from those of the users', async () => {
    const own = await startServer({
      ...{ RATE_LIMITS: 'on', SERVICE_COMMAND_BURST: '5', SERVICE_COMMANDS_PER_SECOND: '1' },
      ...{ COMMAND_BURST: '3', COMMANDS_PER_SECOND: '1', SERVICE_CONNECTIONS: '2' },
    });
    const ada = await newUser();
    const { key } = await newKey('act');
    const services = [await connectAs(key, own.url), await connectAs(key, own.url)] as const;
    const codes: string[] = [];
    for (let n = 0; n < 6; n++) {
      const reply = await services[n % 2 === 0 ? 0 : 1].call('getProfile', {}, { userId: ada.id });
      codes.push(reply.code ?? 'ok');
    }
    expect(codes).to.deep.equal(['ok', 'ok', 'ok', 'ok', 'ok', 'RATE_LIMITED']);
    expect(await refusedUpgrade(key, own.url)).to.equal(429);
    const client = await ada.connect(own.url);
    for (let n = 0; n < 3; n++) await client.done('ping');
    expect(await client.refused('ping')).to.equal('RATE_LIMITED');
    for (const service of services) await service.close();
    await client.close();
    await own.close();
  });

  it('keep the rate that a command has for each user', async () => {
    const own = await startServer({ RATE_LIMITS: 'on' });
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'x' });
    const service = await connectAs((await newKey('act')).key, own.url);
    const typing = (user: { id: number }, receiver: { id: number }) =>
      service.call('typing', { receiverId: receiver.id, typing: true }, { userId: user.id });
    const replies = await Promise.all(Array.from({ length: 11 }, () => typing(ada, bob)));
    expect(replies.filter(({ code }) => code === 'RATE_LIMITED')).to.have.length(1);
    expect((await typing(bob, ada)).success).to.equal(true);
    await service.close();
    await own.close();
  });

  it('that were sent before the connection closed are done', async () => {
    const [ada, bob] = await newClients(2);
    const service = await connectService('act');
    for (let n = 0; n < 5; n++)
      service.send('privateMessage', { receiverId: bob.id, content: `${n}` }, { userId: ada.id });
    service.socket.close();
    for (let n = 0; n < 5; n++)
      expect((await bob.client.push('privateMessage')).params.message).to.equal(`${n}`);
  });
});

describe('upsertUsers', () => {
  it('creates accounts without a password, and changes them; called again, it changes nothing', async () => {
    const service = await connectService('users', 'act');
    const [taken, other] = await newUsers(2);
    const externalId = `new-${taken.id}`;
    const user = {
      ...{ externalId, username: taken.username, displayName: 'Ada', email: other.email },
      ...{ avatar: 'a.png', custom: { team: 7 }, isBot: true },
    };
    const [created] = (await service.done('upsertUsers', { users: [user] })).data;
    expect(created).to.deep.include({
      ...{ externalId, username: `${taken.username}-2`, displayName: 'Ada', email: null, avatar: 'a.png' },
      ...{ custom: { team: 7 }, isBot: true, disabledAt: null, deletedAt: null },
    });
    expect((await service.done('upsertUsers', { users: [user] })).data).to.deep.equal([created]);
    const { version } = (await service.done('getProfile', {}, { externalId })).data;
    expect(version).to.equal(0);

    const changed = { externalId, displayName: null, email: `${externalId}@example.com`, isBot: false };
    const [row] = (await service.done('upsertUsers', { users: [changed] })).data;
    expect(row).to.deep.equal({
      ...created,
      displayName: null,
      email: `${externalId}@example.com`,
      isBot: false,
    });
    expect((await service.done('getProfile', {}, { externalId })).data).to.include({
      version: 1,
      isBot: false,
    });
    const [renamed] = (await service.done('upsertUsers', { users: [{ externalId, username: externalId }] }))
      .data;
    expect(renamed.username).to.equal(externalId);
  });

  it('pushes a change of the profile and of the name', async () => {
    const [ada] = await newClients(1);
    const service = await connectService('users', 'act');
    const externalId = `push-${ada.id}`;
    await service.done('upsertUsers', { users: [{ externalId }] });
    await service.done('privateMessage', { receiverId: ada.id, content: 'x' }, { externalId });
    await service.done('upsertUsers', { users: [{ externalId, displayName: 'Hal' }] });
    expect((await ada.client.push('updateProfile')).params.displayName).to.equal('Hal');
    await service.done('upsertUsers', { users: [{ externalId, username: externalId }] });
    expect((await ada.client.push('updateProfile')).params.username).to.equal(externalId);
  });

  it('creates each account once, whoever asks at the same time', async () => {
    const services = [await connectService('users'), await connectService('users')];
    const users = Array.from({ length: 5 }, (_, n) => ({ externalId: `race-${process.pid}-${n}` }));
    const replies = await Promise.all(services.map((service) => service.done('upsertUsers', { users })));
    expect(replies[0].data).to.deep.equal(replies[1].data);
    expect(new Set(replies[0].data.map(({ userId }: { userId: number }) => userId)).size).to.equal(5);
  });

  it('refuses wrong values by their path, and changes nothing', async () => {
    const service = await connectService('users');
    const externalId = 'wrong';
    for (const [users, message] of [
      [[], 'params.users must have at least 1 items'],
      [
        Array.from({ length: 101 }, (_, n) => ({ externalId: `${n}` })),
        'params.users must have at most 100 items',
      ],
      [[{ externalId }, {}], 'params.users.1.externalId is required'],
      [[{ externalId }, { externalId, password: 'x' }], 'params.users.1.password is not known'],
      [[{ externalId }, { externalId, username: 'a b' }], 'params.users.1.username must match'],
      [[{ externalId }, { externalId, isBot: null }], 'params.users.1.isBot must be a boolean'],
    ] as const) {
      const reply = await service.call('upsertUsers', { users });
      expect([reply.code, reply.message.includes(message)], reply.message).to.deep.equal([
        'BAD_REQUEST',
        true,
      ]);
    }
    expect((await service.done('getUsers', { users: [{ externalId }] })).data).to.deep.equal([]);
  });
});

describe('getUsers', () => {
  it('returns accounts in the order asked for, also deleted ones, and leaves out those that do not exist', async () => {
    const [ada, bob] = await newUsers(2);
    await http('DELETE', '/users/me', { token: bob.token, body: { password: bob.password } });
    const service = await connectService('users');
    const users = [{ userId: bob.id }, { userId: 999_999_999 }, { externalId: 'nobody' }, { userId: ada.id }];
    const { data } = await service.done('getUsers', { users });
    expect(data.map(({ userId }: { userId: number }) => userId)).to.deep.equal([bob.id, ada.id]);
    expect(data[0])
      .to.include({ username: 'Deleted user', email: null })
      .and.have.property('deletedAt')
      .a('string');
    expect(data[1]).to.include({
      username: ada.username,
      email: ada.email,
      externalId: null,
      deletedAt: null,
    });
  });
});

describe('disableUsers, revokeTokens and deleteUsers', () => {
  for (const type of ['disableUsers', 'revokeTokens', 'deleteUsers'])
    it(`${type} ends the connections and tokens of the users`, async () => {
      const people = await newClients(2);
      const service = await connectService('users');
      await service.done(type, { users: people.map(({ id: userId }) => ({ userId })) });
      for (const { client, token } of people) {
        expect(await client.closed).to.equal(4401);
        expect(await refusedUpgrade(token)).to.equal(401);
      }
    });

  it('change nothing if one of the users does not exist', async () => {
    const [ada] = await newClients(1);
    const service = await connectService('users');
    for (const type of ['disableUsers', 'revokeTokens', 'deleteUsers']) {
      const users = [{ userId: ada.id }, { externalId: 'nobody' }];
      expect((await service.call(type, { users })).message).to.equal('There is no user nobody');
    }
    await ada.client.done('ping');
  });

  it('disable and delete once: a second time has the same reply, and keeps the time', async () => {
    const [ada] = await newUsers(1);
    const service = await connectService('users');
    const users = [{ userId: ada.id }];
    const read = async () => (await service.done('getUsers', { users })).data[0];
    await service.done('disableUsers', { users });
    const { disabledAt } = await read();
    expect(disabledAt).to.be.a('string');
    await service.done('disableUsers', { users });
    expect(await read()).to.include({ disabledAt });
    await service.done('deleteUsers', { users });
    const { deletedAt } = await read();
    await service.done('deleteUsers', { users });
    expect(await read()).to.include({ deletedAt });
    for (const type of ['disableUsers', 'revokeTokens'])
      expect(await service.refused(type, { users })).to.equal('NOT_FOUND');
  });

  it('take a deleted user out of the groups, and keep the identifier', async () => {
    const [owner] = await newClients(1);
    const service = await connectService('users', 'act');
    const externalId = `gone-${owner.id}`;
    const [{ userId }] = (await service.done('upsertUsers', { users: [{ externalId }] })).data;
    const { groupId } = await owner.client.done('newGroup', { groupName: 'Climbers', userIds: [userId] });
    await service.done('deleteUsers', { users: [{ externalId }] });
    expect((await owner.client.push('leaveGroup')).params).to.include({ groupId, userId });
    expect((await service.done('upsertUsers', { users: [{ externalId }] })).data[0]).to.include({ userId });
    expect(await service.refused('listLastMessage', {}, { externalId })).to.equal('NOT_FOUND');
  });
});

describe('createToken', () => {
  it('makes a token with which the user connects, for the lifetime asked for', async () => {
    const service = await connectService('users');
    const externalId = `token-${process.pid}`;
    const [{ userId }] = (await service.done('upsertUsers', { users: [{ externalId }] })).data;
    const user = { externalId };
    const { token, expiresAt, ...rest } = (await service.done('createToken', { user, expiresInSeconds: 60 }))
      .data;
    expect(rest).to.deep.equal({ userId });
    expect(Date.parse(expiresAt) - Date.now()).to.be.within(50_000, 61_000);
    const client = await connectAs(token);
    expect((await client.done('getProfile')).data.userId).to.equal(userId);
    await service.done('revokeTokens', { users: [user] });
    expect(await client.closed).to.equal(4401);
    const { token: second } = (await service.done('createToken', { user })).data;
    await connectAs(second);
  });

  it('is refused for users who are disabled, deleted or do not exist, and for lifetimes out of range', async () => {
    const [disabled, deleted] = await newUsers(2);
    const service = await connectService('users');
    await service.done('disableUsers', { users: [{ userId: disabled.id }] });
    await service.done('deleteUsers', { users: [{ userId: deleted.id }] });
    for (const [params, code] of [
      [{ user: { userId: disabled.id } }, 'FORBIDDEN'],
      [{ user: { userId: deleted.id } }, 'NOT_FOUND'],
      [{ user: { externalId: 'nobody' } }, 'NOT_FOUND'],
      [{ user: { userId: deleted.id }, expiresInSeconds: 0 }, 'BAD_REQUEST'],
      [{ user: { userId: deleted.id }, expiresInSeconds: 31_536_001 }, 'BAD_REQUEST'],
      [{}, 'BAD_REQUEST'],
    ] as const)
      expect(await service.refused('createToken', params), JSON.stringify(params)).to.equal(code);
  });
});

describe('a bot', () => {
  it('is shown as one in its profile and among the members of a group', async () => {
    const [ada] = await newClients(1);
    const service = await connectService('users');
    const user = { externalId: `bot-${ada.id}`, isBot: true };
    const [{ userId }] = (await service.done('upsertUsers', { users: [user] })).data;
    const { groupId } = await ada.client.done('newGroup', { groupName: 'Climbers', userIds: [userId] });
    const { data } = await ada.client.done('listGroupMembers', { groupId });
    expect(data.map((row: { userId: number; isBot: boolean }) => [row.userId, row.isBot])).to.deep.equal([
      [ada.id, false],
      [userId, true],
    ]);
    expect((await ada.client.done('getProfile', { userId })).data.isBot).to.equal(true);
  });
});

describe('a server that stops', () => {
  it('closes service connections, too', async () => {
    const own = await startServer();
    const service = await connectAs((await newKey('act')).key, own.url);
    await until(() => JSON.stringify(own.summary()).includes('"connections":1'));
    await own.close();
    expect(await service.closed).to.equal(1001);
  });
});
