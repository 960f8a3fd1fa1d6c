import { expect } from 'chai';
import type { AdminServices } from '../../src/admin/define.ts';
import { listGroupConflicts } from '../../src/admin/groups.ts';
import { fillFoldedNames } from '../../src/database/foldedNames.ts';
import { ambiguous } from '../../src/text/foldedColumns.ts';
import { database, http, newClients, newUser, newUsers } from '../support/harness.ts';
import { until } from '../support/until.ts';

let made = 0;
const register = (username: string) =>
  http('POST', '/auth/register', {
    body: { username, email: `name${process.pid}-${++made}@example.com`, password: 'correct horse battery' },
  });

describe('names of accounts', () => {
  it('are not distinguished by invisible characters', async () => {
    const name = `Mira${process.pid}`;
    expect((await register(name)).status).to.equal(201);
    for (const hidden of ['\ufe0f', '\u034f', '\u180b', '\u3164', '\uffa0', '\u{e0100}', '\u17b4']) {
      const { status, body } = await register(name + hidden);
      expect([status, body.message]).to.deep.equal([
        400,
        `body.username must not have characters that are not shown (U+${hidden.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')})`,
      ]);
    }
    for (const username of ['\u3164', '\u0301Mira']) expect((await register(username)).status).to.equal(400);
    for (const same of [name.toUpperCase(), name.replace('M', 'Ｍ')])
      expect((await register(same)).status, same).to.equal(409);
  });

  it('are shown in one line and in their direction, with joiners and emoji', async () => {
    const [ada] = await newClients(1);
    const refused = async (displayName: string) =>
      (await ada.client.call('updateProfile', { displayName })).message;
    expect(await refused('Ada\nLovelace')).to.equal(
      'params.displayName must not have line breaks or control characters (U+000A)',
    );
    expect(await refused('\u202eadA')).to.match(/writing direction \(U\+202E\)$/);
    expect(await refused('\u3164')).to.match(/not shown/);
    for (const displayName of ['می\u200cخواهم', 'Ada 👩\u200d🚀', 'I ❤\ufe0f NY'])
      expect((await ada.client.done('updateProfile', { displayName })).data).to.include({ displayName });
  });
});

describe('names of groups', () => {
  it('are unique among public groups, ignoring invisible characters', async () => {
    const [ada, bob] = await newClients(2);
    const groupName = `Straße ${ada.id}`;
    const { groupId } = await ada.client.done('newGroup', { groupName, isPrivate: false });
    for (const same of [
      groupName.toUpperCase(),
      groupName.replace(' ', '\u00a0'),
      ` ${groupName}  `,
      `STRASSE  ${ada.id}`,
    ])
      expect(await bob.client.refused('newGroup', { groupName: same, isPrivate: false }), same).to.equal(
        'CONFLICT',
      );
    for (const isPrivate of [true, false])
      expect(await bob.client.refused('newGroup', { groupName: `${groupName}\u200b`, isPrivate })).to.equal(
        'BAD_REQUEST',
      );
    expect(await ada.client.refused('updateGroup', { groupId, groupName: 'a\u2028b' })).to.equal(
      'BAD_REQUEST',
    );
    await ada.client.done('updateGroup', { groupId, groupName: groupName.toUpperCase() });
  });
});

describe('names that were written without their folded form', () => {
  it('of accounts are ambiguous for all but the first, until its name is free', async () => {
    const [ada, bob, cleo] = await newUsers(3);
    const name = `old${ada.id}`;
    const write = (id: number, fields: object) => database.users.update(fields, { where: { id } });
    const unfolded = { usernameFolded: null, usernameSearch: null, emailFolded: null };
    await database.transaction(async (transaction) => {
      for (const [{ id }, username] of [
        [ada, name],
        [bob, name.toUpperCase()],
      ] as const)
        await database.users.update({ username, ...unfolded }, { where: { id }, transaction });
    });
    const folded = async () => {
      await fillFoldedNames(database);
      const rows = await database.users.findAll({ where: { id: [ada.id, bob.id, cleo.id] }, order: ['id'] });
      return rows.map(({ usernameFolded }) => usernameFolded);
    };
    const other = cleo.username;
    expect(await folded()).to.deep.equal([name, ambiguous(name, bob.id), other]);
    const bobs = await database.users.findByPk(bob.id);
    expect(bobs).to.include({ usernameSearch: name, emailFolded: bob.email });
    await write(bob.id, { displayName: 'B\u00f3b', displayNameSearch: null });
    expect(await folded()).to.deep.equal([name, ambiguous(name, bob.id), other]);
    expect((await database.users.findByPk(bob.id))?.displayNameSearch).to.equal('bob');
    await write(ada.id, { username: 'free', usernameFolded: `free${ada.id}` });
    expect(await folded()).to.deep.equal([`free${ada.id}`, name, other]);
  });

  it('of groups are ambiguous for public ones only, until the first one is closed', async () => {
    const [ada] = await newUsers(1);
    const name = `old ${ada.id}`;
    const make = (fields: object) =>
      database.execute<{ id: number }>(
        `insert into chats (kind, name, created_by, is_private, closed_at)
         select 'group', upper($2), $1, is_private, closed_at
         from jsonb_to_record($3::jsonb) as group_fields (is_private boolean, closed_at timestamptz) returning id`,
        [ada.id, name, JSON.stringify({ is_private: false, ...fields })],
      );
    const made = [
      await make({ closed_at: new Date() }),
      await make({}),
      await make({}),
      await make({ is_private: true }),
    ];
    const [closed, first, second, hidden] = made.flat().map(({ id }) => id) as [
      number,
      number,
      number,
      number,
    ];
    const folded = async () => {
      await fillFoldedNames(database);
      const rows = await database.chats.findAll({
        where: { id: [closed, first, second, hidden] },
        order: ['id'],
      });
      return rows.map(({ nameFolded }) => nameFolded);
    };
    expect(await folded()).to.deep.equal([name, name, ambiguous(name, second), name]);
    const conflicts = async () => {
      const rows = await listGroupConflicts([], {}, { db: database } as AdminServices);
      return (rows as { id: number }[]).filter(({ id }) => id >= closed);
    };
    expect(await conflicts()).to.deep.equal([
      { id: second, name: name.toUpperCase(), otherId: first, otherName: name.toUpperCase() },
    ]);
    await database.chats.update({ closedAt: new Date() }, { where: { id: first } });
    expect(await folded()).to.deep.equal([name, name, name, name]);
    expect(await conflicts()).to.deep.equal([]);
  });
});

describe('mentions of names', () => {
  it('reach the user with the longest name in a text without spaces', async () => {
    const [ada] = await newClients(1);
    const [short, long] = ['张', '张三'].map((name) => `${name}${process.pid}${name}`);
    const people = await Promise.all([newUser(), newUser()]);
    for (const [index, username] of [short, long].entries())
      await http('PATCH', '/users/me', { token: people[index]?.token ?? '', body: { username } });
    const [one, two] = people.map(({ id }) => id);
    const { groupId } = await ada.client.done('newGroup', { groupName: 'Climbers', userIds: [one, two] });
    const mentions = async (content: string) => {
      const { messageId } = await ada.client.done('messageInGroup', { groupId, content });
      const sent = (await ada.client.done('getMessage', { messageId })).data.mentions;
      await ada.client.done('editMessage', { messageId, content: 'nobody' });
      expect((await ada.client.done('editMessage', { messageId, content })).mentions).to.have.members(sent);
      return sent;
    };
    expect(await mentions(`你好@${short}你好`)).to.deep.equal([one]);
    expect(await mentions(`...@${long}你好 a@${short}`)).to.deep.equal([two]);
    expect(await mentions(`_@${short}_ -@${long}`)).to.have.members([one, two]);
  });
});

describe('searches', () => {
  it('find text in every Unicode form', async () => {
    const [ada] = await newClients(1);
    const texts: Record<string, string> = {
      ...{ 'か\u3099くせい': 'が', שָׁלוֹם: 'שלום', محمد: 'مُحَمَّد', Łódź: 'lodz', 'e\u0301te\u0301': 'Été' },
      ...{ '\u1112\u1161\u11ab\u1100\u116e\u11a8': '한국', 'Die Straße': 'STRASSE', ﬁnally: 'finally' },
    };
    const { groupId } = await ada.client.done('newGroup', { groupName: 'Words', isPrivate: true });
    for (const content of Object.keys(texts)) await ada.client.done('messageInGroup', { groupId, content });
    for (const [content, query] of Object.entries(texts)) {
      const find = async () => (await ada.client.done('searchMessages', { query, groupId })).data;
      await until(async () => (await find()).length > 0);
      const data = await find();
      expect(
        data.map((row: { content: string }) => row.content),
        query,
      ).to.deep.equal([content]);
      expect(
        data[0].highlight.some(({ hit }: { hit: boolean }) => hit),
        query,
      ).to.equal(true);
    }
    await ada.client.done('updateProfile', { displayName: `\u1112\u1161\u11ab${ada.id}` });
    const { data } = await ada.client.done('searchUsers', { query: `한${ada.id}` });
    expect(data).to.have.length(1);
  });
});
