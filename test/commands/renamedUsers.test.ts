import { expect } from 'chai';
import {
  database,
  http,
  newClients,
  newGroup,
  newUser,
  type Person,
  startServer,
} from '../support/harness.ts';
import { until } from '../support/until.ts';

let renamed = 0;

async function rename({ token }: Pick<Person, 'token'>, username = `new${process.pid}-${++renamed}`) {
  const { status, body } = await http('PATCH', '/users/me', { token, body: { username } });
  expect(status, JSON.stringify(body)).to.equal(200);
  return username;
}

const leave = ({ token, password }: Person) => http('DELETE', '/users/me', { token, body: { password } });
const cursorOf = async ({ client }: Person): Promise<string> =>
  (await client.done('sync', { fromNow: true })).nextCursor;

/** Returns all changes since a cursor, page by page. */
async function changes({ client }: Person, since: string, limit = 100) {
  const all = [];
  let cursor = since;
  for (let more = true; more; ) {
    const page = await client.done('sync', { cursor, limit });
    all.push(...page.data);
    ({ more, nextCursor: cursor } = page);
  }
  return all;
}

const users = (all: { kind: string }[]) => all.filter(({ kind }) => kind === 'user');

/** Users of whom the first has a dialog with the second, a group with the third, and no chat with the fourth. */
async function neighbours() {
  const [ada, bob, cleo, eve] = await newClients(4);
  await ada.client.done('privateMessage', { receiverId: bob.id, content: 'hi' });
  const groupId = await newGroup(ada.client, cleo);
  await Promise.all([ada, bob, cleo, eve].map(({ client }) => client.rest()));
  return { ada, bob, cleo, eve, groupId };
}

describe('a new username', () => {
  it('is pushed to all users who share a chat, and to own connections', async () => {
    const { ada, bob, cleo, eve } = await neighbours();
    await ada.client.done('updateProfile', { displayName: 'Ada L.' });
    expect((await bob.client.push('updateProfile')).params).to.include({ username: ada.username });
    const username = await rename(ada);
    const name = { data: null, message: null, senderName: username, userId: ada.id, username, version: 2 };
    const profile = { ...name, displayName: 'Ada L.', about: null, avatar: null, custom: null };
    for (const { client } of [ada, bob])
      expect((await client.push('updateProfile')).params).to.deep.equal(profile);
    expect((await cleo.client.push('updateProfile')).params, 'in a group').to.deep.equal(name);
    expect(await eve.client.rest()).to.deep.equal([]);
    expect(await ada.client.rest(), 'once to the own connection').to.deep.equal([]);
  });

  it('is pushed to a dialog with a block, and to a group that the user has left', async () => {
    const { ada, bob, cleo, groupId } = await neighbours();
    await bob.client.done('blockUser', { userId: ada.id });
    await ada.client.done('leaveGroup', { groupId });
    const username = await rename(ada);
    for (const { client } of [bob, cleo])
      expect((await client.push('updateProfile')).params.username).to.equal(username);
  });

  it('is not pushed to users who can see no message of the user, who had left before', async () => {
    const [ada, bob, cleo, eve] = await newClients(4);
    const groupId = await newGroup(ada.client, bob, cleo);
    await ada.client.done('updateGroup', { groupId, historyFrom: 'joining' });
    await bob.client.done('leaveGroup', { groupId });
    await ada.client.done('addUserInGroup', { groupId, userId: eve.id });
    await Promise.all([cleo, eve].map(({ client }) => client.rest()));
    const cursors = await Promise.all([cleo, eve].map(cursorOf));
    const username = await rename(bob);
    expect((await cleo.client.push('updateProfile')).params.username).to.equal(username);
    expect(await eve.client.rest()).to.deep.equal([]);
    const found = await Promise.all([cleo, eve].map((person, at) => changes(person, cursors[at] ?? '')));
    expect(found).to.deep.equal([[{ kind: 'user', userId: bob.id, username, version: 1 }], []]);
  });

  it('is not pushed to a user whose block refused the only message of a dialog, who sees no dialog', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('blockUser', { userId: bob.id });
    const cursor = await cursorOf(ada);
    expect(await bob.client.refused('privateMessage', { receiverId: ada.id, content: 'hi' })).to.equal(
      'FORBIDDEN',
    );
    await rename(bob);
    expect(await ada.client.rest()).to.deep.equal([]);
    for (const { client } of [ada, bob]) expect((await client.done('sync', {})).data).to.deep.equal([]);
    const found = await changes(ada, cursor);
    expect(found.filter(({ kind }) => kind !== 'user')).to.deep.equal([]);
  });

  it('is returned first by sync, once, to the users who share a chat and to the user', async () => {
    const { ada, bob, cleo, eve, groupId } = await neighbours();
    await ada.client.done('messageInGroup', { groupId, content: 'before' });
    const people = [ada, bob, cleo, eve];
    const cursors = await Promise.all(people.map(cursorOf));
    await ada.client.done('leaveGroup', { groupId });
    await rename(ada);
    const username = await rename(ada, `${ada.username}`.toUpperCase());
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'after' });
    const change = { kind: 'user', userId: ada.id, username, version: 2 };
    for (const limit of [1, 100]) {
      const found = await Promise.all(people.map((person, at) => changes(person, cursors[at] ?? '', limit)));
      expect(found.map(([first]) => first)).to.deep.equal([change, change, change, undefined]);
      expect(found.map((all) => users(all).length)).to.deep.equal([1, 1, 1, 0]);
      expect(found[1]?.at(-1).message.content).to.equal('after');
    }
    // as of users who left before the position was stored
    await database.execute('update former_members set left_seq = null where user_id = $1', [ada.id]);
    expect(users(await changes(cleo, cursors[2] ?? ''))).to.deep.equal([change]);
  });

  it('is returned by sync to a user who has no chats, of themselves only', async () => {
    const [ada, bob] = await newClients(2);
    const cursors = await Promise.all([ada, bob].map(cursorOf));
    const username = await rename(ada);
    const change = { kind: 'user', userId: ada.id, username, version: 1 };
    expect(await changes(ada, cursors[0] ?? '')).to.deep.equal([change]);
    expect(await changes(bob, cursors[1] ?? '')).to.deep.equal([]);
  });

  it('is not returned by sync after a change of the email or password only, nor without a cursor', async () => {
    const { ada, bob } = await neighbours();
    const cursor = await cursorOf(bob);
    const { token, password: currentPassword } = ada;
    const email = `new-${ada.email}`;
    const body = { email, username: ada.username, currentPassword };
    expect((await http('PATCH', '/users/me', { token, body })).status).to.equal(200);
    expect(await changes(bob, cursor)).to.deep.equal([]);
    await rename(ada);
    expect(users((await bob.client.done('sync', {})).data)).to.deep.equal([]);
  });

  it('is found page by page among thousands of users who share no chat', async () => {
    const { ada, bob } = await neighbours();
    const cursor = await cursorOf(bob);
    const first = `crowd${process.pid}`;
    await database.execute(
      `with made as (
         insert into users (email, username, password_hash)
         select $1 || n || '@example.com', $1 || n, 'none' from generate_series(1, 10500) n returning id
       ) select count(*) from made`,
      [first],
    );
    await database.execute(
      `with changed as (update users set username = username || '-new' where username like $1 returning id)
       select count(*) from changed`,
      [`${first}%`],
    );
    const username = await rename(ada);
    const page = await bob.client.done('sync', { cursor, limit: 1 });
    expect([page.data, page.more]).to.deep.equal([[], true]);
    expect(await changes(bob, cursor, 1)).to.deep.equal([
      { kind: 'user', userId: ada.id, username, version: 1 },
    ]);
  });

  it('is pushed in the order of the changes, from whichever node and connection they arrive', async () => {
    const { ada, bob } = await neighbours();
    const names = Array.from({ length: 5 }, () => `new${process.pid}-${++renamed}`);
    await Promise.all(names.map((username) => rename(ada, username)));
    await bob.client.done('ping');
    const pushed = (await bob.client.rest()).map(({ params }) => params.username);
    expect(pushed).to.have.members(names);
    const { data } = await bob.client.done('getProfile', { userId: ada.id });
    expect(pushed.at(-1)).to.equal(data.username);
  });

  it('can be chosen a limited number of times', async () => {
    const limited = await startServer({ RATE_LIMITS: 'on', RENAMES_PER_USER: '2' });
    const { token } = await newUser(limited.url);
    const statuses = [];
    for (const name of ['one', 'two', 'three']) {
      const body = { username: `${name}${process.pid}` };
      statuses.push((await http('PATCH', '/users/me', { token, body, url: limited.url })).status);
    }
    await limited.close();
    expect(statuses).to.deep.equal([200, 200, 429]);
  });
});

describe('the deletion of an account', () => {
  it('is pushed as a name to all users who shared a chat, before the user leaves the group', async () => {
    const { ada, bob, cleo, eve, groupId } = await neighbours();
    await ada.client.done('updateProfile', { displayName: 'Ada L.' });
    await bob.client.rest();
    expect((await leave(ada)).status).to.equal(204);
    const senderName = 'Deleted user';
    const name = { data: null, message: null, senderName, userId: ada.id, username: senderName, version: 2 };
    const profile = { ...name, displayName: null, about: null, avatar: null, custom: null };
    expect((await bob.client.push('updateProfile')).params).to.deep.equal(profile);
    expect((await cleo.client.push('updateProfile')).params, 'in a group').to.deep.equal(name);
    const { params } = await cleo.client.push('leaveGroup');
    expect(params).to.include({ groupId, senderName: 'Deleted user' });
    expect(await eve.client.rest()).to.deep.equal([]);
  });

  it('is returned by sync to users who still see messages of the user', async () => {
    const { ada, bob, cleo, eve, groupId } = await neighbours();
    await ada.client.done('messageInGroup', { groupId, content: 'mine' });
    const people = [bob, cleo, eve];
    const cursors = await Promise.all(people.map(cursorOf));
    await leave(ada);
    await until(async () => {
      const { data } = await cleo.client.done('listGroupMembers', { groupId });
      return data.length === 1;
    });
    const found = await Promise.all(people.map((person, at) => changes(person, cursors[at] ?? '')));
    const change = { kind: 'user', userId: ada.id, username: 'Deleted user', version: 1 };
    expect(found.map(users)).to.deep.equal([[change], [change], []]);
  });

  it('is pushed last when the user is renamed at the same moment', async () => {
    const { ada, bob } = await neighbours();
    const cursor = await cursorOf(bob);
    const body = { username: `late${process.pid}` };
    const [, { status }] = await Promise.all([
      leave(ada),
      http('PATCH', '/users/me', { token: ada.token, body }),
    ]);
    expect(status).to.be.oneOf([200, 401]);
    const pushed = (await bob.client.rest()).filter(({ type }) => type === 'updateProfile');
    expect(pushed.at(-1).params).to.include({ userId: ada.id, username: 'Deleted user' });
    const [change, ...more] = users(await changes(bob, cursor));
    expect(change).to.include({ userId: ada.id, username: 'Deleted user' });
    expect(more).to.deep.equal([]);
  });
});
