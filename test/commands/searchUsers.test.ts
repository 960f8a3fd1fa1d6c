import { expect } from 'chai';
import { database, http, newClients, newUser, type Person, signedCursor } from '../support/harness.ts';

/** More users than one page reads, also of those with a `custom`: every second one. */
const MANY = 4_200;
const manyOfOneName = `
insert into users (email, username, username_folded, username_search, password_hash, display_name, display_name_search, custom)
select $1 || n || '@example.com', $1 || n, $1 || n, $1 || n, '-', $1, $1, case when n % 2 = 0 then '{"many": true}'::jsonb end
from generate_series(1, $2::int) n
returning id
`;

/** Returns all rows of a list, page by page. */
async function listed({ client }: Person, params: object, type: 'searchUsers' | 'listUsers' = 'searchUsers') {
  const ids: number[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await client.done(type, { ...params, ...(cursor && { cursor }) });
    ids.push(...page.data.map(({ userId }: { userId: number }) => userId));
    cursor = page.nextCursor;
  }
  return ids;
}

describe('searchUsers', () => {
  it('finds users by the prefix of the username or display name, ignoring case and accents', async () => {
    const [ada, bob] = await newClients(2);
    const unique = `Žofie${process.pid}`;
    await bob.client.done('updateProfile', { displayName: `${unique} Nováková` });
    const find = async (query: string) =>
      (await ada.client.done('searchUsers', { query })).data.map((row: { userId: number }) => row.userId);
    expect(await find(`zofie${process.pid} nova`)).to.deep.equal([bob.id]);
    expect(await find(unique.toUpperCase())).to.deep.equal([bob.id]);
    expect(await find(bob.username.toUpperCase())).to.include(bob.id);
    expect(await find('nováková')).to.deep.equal([]); // not the beginning
  });

  it('treats wildcards as plain characters', async () => {
    const [ada, bob] = await newClients(2);
    const find = async (query: string) => (await ada.client.done('searchUsers', { query })).data;
    for (const query of ['%', '_ser', '\\', '％', '＿ser', '＼', '\u0301', '\u0301\u0327'])
      expect(await find(query), query).to.deep.equal([]);
    await bob.client.done('updateProfile', { displayName: `100％ ${ada.id} \\o/` });
    for (const query of [`100% ${ada.id} \\O`, `100％ ${ada.id} ＼o`])
      expect(await find(query), query).to.have.length(1);
  });

  it('lists in the order of the names, each user once, by the first of both names', async () => {
    const [ada, ...others] = await newClients(5);
    const [bob, cleo, dan, eve] = others as [Person, Person, Person, Person];
    const prefix = `q${process.pid}q`;
    const call = async ({ client, token }: Person, username: string, displayName: string | null) => {
      await http('PATCH', '/users/me', { token, body: { username } });
      await client.done('updateProfile', { displayName });
    };
    await call(bob, `${prefix}-m`, `${prefix} z`); // by the username
    await call(cleo, `${prefix}-y`, `${prefix} a`); // by the display name
    await call(dan, `${prefix}-x`, null);
    await call(eve, `${prefix}-x2`, `${prefix}-X2`); // the same twice
    const all = [cleo, bob, dan, eve].map(({ id }) => id);
    for (const limit of [1, 2, 3, 4, 5])
      expect(await listed(ada, { query: prefix, limit }), `${limit} a page`).to.deep.equal(all);
    for (const custom of [{}, { team: prefix }]) {
      for (const { client } of others) await client.done('updateProfile', { custom: { team: prefix, n: 1 } });
      for (const limit of [1, 5])
        expect(await listed(ada, { query: prefix, limit, custom }), `${limit} a page`).to.deep.equal(all);
    }
    expect(await listed(ada, { query: `${prefix} `, limit: 1 })).to.deep.equal([cleo.id, bob.id]);
    expect(await listed(ada, { query: `${prefix}-z`, limit: 1 })).to.deep.equal([]);
  });

  it('continues after names that many users have, and after users that are not listed', async () => {
    const [ada] = await newClients(1);
    const name = `n${process.pid}n`;
    const made = await database.execute<{ id: number }>(manyOfOneName, [name, MANY]);
    const ids = made.map(({ id }) => id);
    const matching = ids.filter((_, at) => at % 2 === 1);
    expect(await listed(ada, { query: name, limit: 100 })).to.deep.equal(ids);
    expect(await listed(ada, { query: `${name}1`, limit: 100 })).to.have.lengthOf(1 + 10 + 100 + 1_000);
    const custom = { many: true };
    expect(await listed(ada, { query: name, limit: 100, custom })).to.deep.equal(matching);
    expect(await listed(ada, { limit: 100, custom }, 'listUsers')).to.deep.equal(matching);
    await database.execute(
      'delete from users where id = any (array(select jsonb_array_elements_text($1::jsonb)::bigint))',
      [JSON.stringify(made.map(({ id }) => id))],
    );
  });

  it('continues after the longest possible name', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const displayName = `${ada.id}${'\u{fdfa}'.repeat(100)}`.slice(0, 100); // 33 bytes each, once it is folded
    for (const { client } of [bob, cleo]) await client.done('updateProfile', { displayName });
    const query = displayName.slice(0, 10);
    expect(await listed(ada, { query, limit: 1 })).to.deep.equal([bob.id, cleo.id]);
  });

  it('refuses cursors of earlier releases, and cursors of other users', async () => {
    const [ada, bob] = await newClients(2);
    for (const position of [[7], [7, 7], ['ada'], ['ada', '7'], { name: 'ada', id: 7 }, null])
      expect(
        await ada.client.refused('searchUsers', {
          query: 'a',
          cursor: signedCursor('searchUsers', ada, position),
        }),
        JSON.stringify(position),
      ).to.equal('BAD_REQUEST');
    const own = signedCursor('searchUsers', ada, ['ada', 7]);
    await ada.client.done('searchUsers', { query: 'a', cursor: own });
    expect(await bob.client.refused('searchUsers', { query: 'a', cursor: own })).to.equal('BAD_REQUEST');
  });

  it('continues from page to page, filters by custom data, and omits deleted users', async () => {
    const [ada, bob, cleo, dan] = await newClients(4);
    const group = `team-${ada.id}`;
    for (const { client } of [bob, cleo, dan])
      await client.done('updateProfile', { displayName: group, custom: { group, rank: 1 } });
    const pages: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await ada.client.done('searchUsers', {
        query: group,
        custom: { group },
        limit: 1,
        cursor,
      });
      pages.push(...page.data.map((row: { userId: number }) => row.userId));
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(pages).to.deep.equal([bob.id, cleo.id, dan.id].toSorted((a, b) => a - b)); // of one name
    await http('DELETE', '/users/me', { token: dan.token, body: { password: dan.password } });
    expect((await ada.client.done('searchUsers', { query: group })).data).to.have.length(2);
    expect((await ada.client.done('searchUsers', { query: group, custom: { rank: 2 } })).data).to.deep.equal(
      [],
    );
    expect(await ada.client.refused('searchUsers', { query: group, cursor: 'nonsense' })).to.equal(
      'BAD_REQUEST',
    );
  });
});

describe('listUsers', () => {
  it('lists users in the order of registration with their online state', async () => {
    const [ada] = await newClients(1);
    const [late, deleted] = [await newUser(), await newUser()];
    const body = { password: deleted.password };
    expect((await http('DELETE', '/users/me', { token: deleted.token, body })).status).to.equal(204);
    const rows: { userId: number; online: boolean }[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await ada.client.done('listUsers', { limit: 100, ...(cursor && { cursor }) });
      rows.push(...page.data);
      cursor = page.nextCursor;
    }
    const ids = rows.map(({ userId }) => userId);
    expect(ids).to.deep.equal(ids.toSorted((a, b) => a - b));
    expect(rows.find(({ userId }) => userId === ada.id)).to.include({ online: true });
    expect(rows.find(({ userId }) => userId === late.id)).to.include({ online: false });
    expect(ids).not.to.include(deleted.id);
  });
});
