import { expect } from 'chai';
import { findUsers } from '../../src/commands/searchUsers.ts';
import { foldForSearch } from '../../src/text/fold.ts';
import { startingWith } from '../../src/text/patterns.ts';
import { database, http, newClients, newUser } from '../harness.ts';

describe('searchUsers', () => {
  it('finds by the beginning of username or display name, whatever case and accents', async () => {
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

  it('takes wildcards as the characters they are', async () => {
    const [ada, bob] = await newClients(2);
    const find = async (query: string) => (await ada.client.done('searchUsers', { query })).data;
    for (const query of ['%', '_ser', '\\', '％', '＿ser', '＼', '\u0301', '\u0301\u0327'])
      expect(await find(query), query).to.deep.equal([]);
    await bob.client.done('updateProfile', { displayName: `100％ ${ada.id} \\o/` });
    for (const query of [`100% ${ada.id} \\O`, `100％ ${ada.id} ＼o`])
      expect(await find(query), query).to.have.length(1);
  });

  it('looks names up in the indexes for them', async () => {
    const plan = await database.transaction(async (transaction) => {
      await database.select('select set_config($1, $2, true)', ['enable_seqscan', 'off'], transaction);
      return database.select(
        `explain ${findUsers}`,
        [startingWith(foldForSearch('％Ada')), 0, 20, null],
        transaction,
      );
    });
    const lines = plan.map((row) => Object.values(row).join()).join('\n');
    expect(lines).to.match(/on users_by_username .*\s+Index Cond: .*'%ada'/);
    expect(lines).to.match(/on users_by_display_name .*\s+Index Cond: .*'%ada'/);
  });

  it('goes on from page to page, filters by own data, and leaves out the deleted', async () => {
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
    expect(pages).to.deep.equal([bob.id, cleo.id, dan.id].toSorted((a, b) => a - b));
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
  it('lists in the order of registration with the online state', async () => {
    const [ada] = await newClients(1);
    const late = await newUser();
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
  });
});
