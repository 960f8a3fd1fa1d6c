import { expect } from 'chai';
import {
  database,
  http,
  newGroup,
  newUsers,
  type RunningServer,
  startServer,
  type User,
} from '../support/harness.ts';

/** More memberships than are read to find all contacts of a user. */
const MANY = 5_100;

const manyMembers = `
with made as (
  insert into users (email, username, username_folded, username_search, password_hash)
  select $1 || n || '@example.com', $1 || n, $1 || n, $1 || n, '-' from generate_series(1, $2::int) n
  returning id
)
insert into chat_members (chat_id, user_id) select $3::bigint, id from made returning user_id as id
`;

describe('the directory', () => {
  let closed: RunningServer;
  let contacts: RunningServer;

  before(async () => {
    [contacts, closed] = await Promise.all([
      startServer({ DIRECTORY: 'contacts' }),
      startServer({ DIRECTORY: 'off' }),
    ]);
  });
  after(() => Promise.all([contacts.close(), closed.close()]));

  /** Returns the ids of all users that a user finds on a server, page by page. */
  async function found(user: User, { url }: RunningServer, type: string, params: object): Promise<number[]> {
    const client = await user.connect(url);
    const ids: number[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await client.done(type, { ...params, ...(cursor && { cursor }) });
      ids.push(...page.data.map(({ userId }: { userId: number }) => userId));
      cursor = page.nextCursor;
    }
    await client.close();
    return ids;
  }
  const search = (user: User, on: RunningServer, query: string, params: object = {}) =>
    found(user, on, 'searchUsers', { query, ...params });
  const list = (user: User, on: RunningServer, params: object = {}) => found(user, on, 'listUsers', params);

  describe('contacts', () => {
    it('has the people of a dialog and of a group, on both sides, and the user, and nobody else', async () => {
      const [ada, bob, cleo, dan] = await newUsers(4);
      const client = await ada.connect();
      await client.done('privateMessage', { receiverId: bob.id, content: 'Hello' });
      await newGroup(client, cleo);
      expect(await list(ada, contacts)).to.deep.equal([ada.id, bob.id, cleo.id]);
      expect(await list(bob, contacts)).to.deep.equal([ada.id, bob.id]);
      expect(await list(dan, contacts)).to.deep.equal([dan.id]);
      for (const [user, ids] of [
        [bob, [bob.id]],
        [cleo, [cleo.id]],
        [dan, []],
      ] as const)
        expect(await search(ada, contacts, user.username), user.username).to.deep.equal(ids);
    });

    it('loses those who leave, and all of a deleted group', async () => {
      const [ada, bob, cleo] = await newUsers(3);
      const client = await ada.connect();
      const groupId = await newGroup(client, bob, cleo);
      await (await bob.connect()).done('leaveGroup', { groupId });
      expect(await list(ada, contacts)).to.deep.equal([ada.id, cleo.id]);
      await client.done('deleteGroup', { groupId });
      expect(await list(ada, contacts)).to.deep.equal([ada.id]);
      expect(await search(ada, contacts, cleo.username)).to.deep.equal([]);
    });

    it('has no deleted users, and is filtered by custom data, in pages', async () => {
      const [ada, bob, cleo, dan] = await newUsers(4);
      await newGroup(await ada.connect(), bob, cleo, dan);
      const custom = { team: `blue${process.pid}` };
      for (const user of [bob, dan]) await (await user.connect()).done('updateProfile', { custom });
      expect(await list(ada, contacts, { custom, limit: 1 })).to.deep.equal([bob.id, dan.id]);
      expect(await search(ada, contacts, 'user-', { custom, limit: 1 })).to.deep.equal([bob.id, dan.id]);
      await http('DELETE', '/users/me', { token: bob.token, body: { password: bob.password } });
      expect(await list(ada, contacts, { custom })).to.deep.equal([dan.id]);
      expect(await search(ada, contacts, 'user-', { custom })).to.deep.equal([dan.id]);
    });

    it('is the same for a user with more contacts than are read at once', async function () {
      this.timeout(60_000);
      const [ada, bob] = await newUsers(2);
      const groupId = await newGroup(await ada.connect());
      const prefix = `many${process.pid}x`;
      const rows = await database.query<{ id: number }>(manyMembers, [prefix, MANY, groupId]);
      expect(await search(ada, contacts, `${prefix}${MANY}`)).to.deep.equal([rows.at(-1)?.id]);
      expect(await search(ada, contacts, bob.username)).to.deep.equal([]);
      expect(await list(ada, contacts, { limit: 100 })).to.have.length(MANY + 1);
      expect(await search(bob, contacts, prefix)).to.deep.equal([]);
    });
  });

  describe('off', () => {
    it('has one user by the exact username, in any case, and nobody by a part of it or the display name', async () => {
      const [ada, bob] = await newUsers(2);
      await (await bob.connect()).done('updateProfile', { displayName: `Robert ${bob.username}` });
      for (const query of [bob.username, bob.username.toUpperCase()])
        expect(await search(ada, closed, query), query).to.deep.equal([bob.id]);
      for (const query of ['user-', `${bob.username}0`, 'Robert', `Robert ${bob.username}`])
        expect(await search(ada, closed, query), query).to.deep.equal([]);
      expect(await search(ada, closed, bob.username, { custom: { team: 'blue' } })).to.deep.equal([]);
    });

    it('lists nobody, not even those with whom the user shares a chat', async () => {
      const [ada, bob] = await newUsers(2);
      await newGroup(await ada.connect(), bob);
      expect(await list(ada, closed)).to.deep.equal([]);
      expect(await list(ada, closed, { custom: {} })).to.deep.equal([]);
      expect(await search(ada, closed, 'user-')).to.deep.equal([]);
    });
  });

  it('has everybody by default', async () => {
    const [ada, bob] = await newUsers(2);
    const client = await ada.connect();
    const { data } = await client.done('searchUsers', { query: bob.username });
    expect(data.map(({ userId }: { userId: number }) => userId)).to.deep.equal([bob.id]);
  });
});
