import { expect } from 'chai';
import { UsageError } from '../../src/admin/define.ts';
import { inSpans, throughWritten, writtenInSpan } from '../../src/admin/writtenMessages.ts';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { ApiError } from '../../src/protocol/errors.ts';
import { adminOn } from '../support/admin.ts';
import type { Frame } from '../support/client.ts';
import {
  connectAs,
  connectService,
  database,
  databaseUrl,
  http,
  newClients,
  newGroup,
  newUsers,
  server,
  startServer,
} from '../support/harness.ts';
import { pause, until } from '../support/until.ts';

/** The connections of the command line. */
let operator: Database;

const admin = (...words: string[]) => adminOn(operator, words);

/** Runs a command that must be refused, and resolves to the sentence that the operator reads. */
const refused = (...words: string[]): Promise<string> =>
  admin(...words).then(
    () => expect.fail(`${words.join(' ')} was not refused`),
    (error) => {
      if (error instanceof ApiError || error instanceof UsageError) return error.message;
      throw error;
    },
  );
const logIn = ({ username }: { username: string }, password: string) =>
  http('POST', '/auth/login', { body: { username, password } });

/** Inserts $2 sessions of the user $1. */
const sessions = `
insert into sessions (user_id, node_id, device, address, connected_at, ended_at)
select $1, gen_random_uuid(), n, '127.0.0.1', now() - interval '2 days', now() - interval '1 day' from generate_series(1, $2::int) n
`;

describe('the operator’s command line', function () {
  this.timeout(60_000);
  before(() => {
    operator = openDatabase(databaseUrl(), 4);
  });
  after(() => operator.close());

  it('lists accounts by the prefix of a name, and shows one account with its sessions', async () => {
    const [ada] = await newClients(1);
    const [found] = await admin('user', 'list', '--search', ada.username);
    expect(found).to.include({ id: ada.id, email: ada.email, disabledAt: null });
    expect(JSON.stringify(found)).to.not.match(/hash|\$2b/i);
    for (const who of [`${ada.id}`, ada.username.toUpperCase(), ada.email]) {
      const shown = await admin('user', 'show', who);
      expect(shown.id).to.equal(ada.id);
      expect(shown.sessions.length).to.equal(1);
    }
  });

  it('lists accounts by the prefix of the username or the email, newest first, and disabled ones alone', async () => {
    const [ada, bob, cleo] = await newUsers(3);
    const word = `q${ada.id}q`;
    await database.users.update({ usernameSearch: `${word}-ada` }, { where: { id: ada.id } });
    await database.users.update({ emailFolded: `${word}-bob@example.com` }, { where: { id: bob.id } });
    await admin('user', 'disable', ada.email);
    await admin('user', 'disable', cleo.email);
    const found = async (...options: string[]) =>
      (await admin('user', 'list', '--search', word.toUpperCase(), ...options)).map(
        ({ id }: { id: number }) => id,
      );
    expect(await found()).to.deep.equal([bob.id, ada.id]);
    expect(await found('--limit', '1')).to.deep.equal([bob.id]);
    expect(await found('--disabled')).to.deep.equal([ada.id]);
  });

  it('lists groups, those with the newest messages first, by the prefix of the name', async () => {
    const [ada, bob] = await newClients(2);
    const make = async (groupName: string) => (await ada.client.done('newGroup', { groupName })).groupId;
    const [first, second] = [await make(`É ${ada.id} one`), await make(`É ${ada.id}_two`)];
    await ada.client.done('messageInGroup', { groupId: first, content: 'newest' });
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'newer, but in a dialog' });
    const found = async (...options: string[]) =>
      (await admin('group', 'list', ...options)).map(({ id }: { id: number }) => id);
    expect(await found('--limit', '2')).to.deep.equal([first, second]);
    expect(await found('--search', `e ${ada.id}`)).to.deep.equal([first, second]);
    expect(await found('--search', `e ${ada.id}_`)).to.deep.equal([second]);
    expect(await found('--search', `${ada.id}`)).to.deep.equal([]);
  });

  it('takes the signs of a search as they are, and limits what it lists', async () => {
    const [ada, bob] = await newUsers(2);
    await database.users.update(
      { username: 'a_b', usernameFolded: 'a_b', usernameSearch: 'a_b' },
      { where: { id: ada.id } },
    );
    await database.users.update(
      { username: 'axb', usernameFolded: 'axb', usernameSearch: 'axb' },
      { where: { id: bob.id } },
    );
    const found = async (search: string) =>
      (await admin('user', 'list', '--search', search)).map(({ id }: { id: number }) => id);
    expect(await found('a_')).to.deep.equal([ada.id]);
    expect(await found('%')).to.deep.equal([]);
    expect(await admin('user', 'list', '--limit', '1')).to.have.length(1);
    for (const limit of ['0', '1.5', '10001', 'all'])
      expect(await refused('user', 'list', '--limit', limit)).to.equal(
        `--limit is "${limit}"; expected an integer from 1 to 10000`,
      );
    await admin('user', 'list', '--limit', '10000');
  });

  it('refuses a number that is the id of one user and the name of another, and takes the email', async () => {
    const [ada, bob] = await newUsers(2);
    const name = `${ada.id}`;
    await database.users.update({ username: name, usernameFolded: name }, { where: { id: bob.id } });
    for (const words of [
      ['user', 'disable', name],
      ['user', 'export', name],
      ['user', 'erase', name, '--yes'],
    ])
      expect(await refused(...words)).to.equal(
        `"${name}" is the id of one user and the name of another; use an email`,
      );
    expect((await admin('user', 'show', ada.email)).id).to.equal(ada.id);
    expect((await admin('user', 'show', bob.email)).id).to.equal(bob.id);
  });

  it('disables an account at once and on every connection until it is enabled again', async () => {
    const [ada] = await newClients(1);
    const phone = await ada.connect();
    await admin('user', 'disable', ada.username);
    expect([await ada.client.closed, await phone.closed]).to.deep.equal([4401, 4401]);
    const disabled = await logIn(ada, ada.password);
    expect([disabled.status, disabled.body.message]).to.deep.equal([403, 'This account is disabled']);
    expect((await logIn(ada, 'wrong password')).status).to.equal(401);
    expect((await http('PATCH', '/users/me', { token: ada.token, body: { username: 'x' } })).status).to.equal(
      401,
    );
    expect((await admin('user', 'list', '--disabled')).map(({ id }: { id: number }) => id)).to.include(
      ada.id,
    );
    const { disabledAt } = await admin('user', 'show', ada.username);
    expect(await admin('user', 'disable', ada.username)).to.deep.include({
      disabledAt: new Date(disabledAt).toISOString(),
    });
    await admin('user', 'enable', ada.username);
    const { status, body } = await logIn(ada, ada.password);
    expect(status).to.equal(200);
    await (await connectAs(body.token)).done('ping');
  });

  it('ends sessions, and sets a new password', async () => {
    const [ada] = await newClients(1);
    await admin('user', 'end-sessions', ada.email);
    expect(await ada.client.closed).to.equal(4401);
    const again = await connectAs((await logIn(ada, ada.password)).body.token);
    const { password } = await admin('user', 'reset-password', ada.email);
    expect(await again.closed).to.equal(4401);
    expect((await logIn(ada, ada.password)).status).to.equal(401);
    expect((await logIn(ada, password)).status).to.equal(200);
    const given = await admin('user', 'reset-password', ada.email, '--password', 'a password of choice');
    expect(given).to.not.have.property('password');
    expect((await logIn(ada, 'a password of choice')).status).to.equal(200);
    expect(await refused('user', 'reset-password', ada.email, '--password', 'short')).to.equal(
      'options.password must have at least 8 characters',
    );
    expect(await refused('user', 'reset-password', ada.email, '--password', 'Password')).to.equal(
      '--password is one of the most common ones',
    );
  });

  it('keeps the connection of a user who has logged in with the new password before the nodes read the outbox', async () => {
    const [ada] = await newClients(1);
    const { password } = await admin('user', 'reset-password', ada.email);
    const renewed = await connectAs((await logIn(ada, password)).body.token);
    expect(await ada.client.closed).to.equal(4401);
    await renewed.done('ping');
  });

  it('ends sessions together with a change in progress, and notifies the nodes in the same commit', async () => {
    const [ada] = await newClients(1);
    const holding = await database.sequelize.transaction();
    await database.execute('update users set token_version = 5 where id = $1', [ada.id], holding);
    const ending = admin('user', 'disable', `${ada.id}`);
    const waits = `select from pg_stat_activity where wait_event_type = 'Lock' and query ~* '^\\s*update "?users'`;
    await until(async () => (await database.query(waits, [])).length > 0);
    await holding.commit();
    await ending;
    const user = await database.users.findByPk(ada.id);
    expect([user?.tokenVersion, user?.disabledAt instanceof Date]).to.deep.equal([6, true]);
    const publications = `select from notices where topic = $1 and message->'signal'->>'kind' = 'reconcile'`;
    expect((await database.query(publications, [`user:${ada.id}`])).length).to.equal(1);
    expect(await ada.client.closed).to.equal(4401);
  });

  it('ends a command when what it publishes is in the outbox, from which the nodes read it', async () => {
    const [ada] = await newUsers(1);
    const published: string[] = [];
    const db: Database = {
      ...operator,
      async execute(statement, bind, transaction) {
        if (transaction || !String(statement).includes('insert into notices'))
          return operator.execute(statement, bind, transaction);
        await pause(20);
        published.push(String(bind[1]));
        return operator.execute(statement, bind);
      },
    };
    await adminOn(db, ['user', 'end-sessions', ada.email]);
    expect(published.map((message) => JSON.parse(message).signal.kind)).to.deep.equal(['revoked']);
  });

  it('deletes an account, and its groups see the same as when the user deletes it', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('messageInGroup', { groupId, content: 'what stays' });
    await bob.client.push('messageInGroup');
    expect(await refused('user', 'delete', ada.username)).to.equal(
      'This cannot be undone: delete an account, as its owner can: its messages remain under the name "Deleted user". Add --yes to confirm.',
    );
    await admin('user', 'delete', ada.username, '--yes');
    expect(await ada.client.closed).to.equal(4401);
    expect((await bob.client.push('updateProfile')).params).to.include({
      ...{ userId: ada.id, username: 'Deleted user' },
    });
    const { params } = await bob.client.push('leaveGroup');
    expect(params).to.include({ groupId, userId: ada.id });
    const { data } = await bob.client.done('getlatestMessageGroup', { groupId });
    expect(data[0]).to.include({ content: params.message, seq: params.seq });
    expect(data[1]).to.include({ content: 'what stays', senderName: 'Deleted user' });
    expect(await refused('user', 'show', ada.username)).to.equal(`There is no user ${ada.username}`);
    expect(await refused('user', 'disable', `${ada.id}`)).to.equal(`There is no user ${ada.id}`);
  });

  it('shows the members of a group, the banned users, and the log of changes with their authors', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob, cleo);
    await ada.client.done('setMemberRole', { groupId, userId: bob.id, role: 'admin' });
    await bob.client.done('banUser', { groupId, userId: cleo.id, reason: 'spam' });
    const { code } = (await ada.client.done('createInvite', { groupId })).data;
    const audit = await admin('group', 'audit', `${groupId}`);
    const roles = audit.members.map(({ userId, role }: { userId: number; role: string }) => [userId, role]);
    expect(roles).to.deep.equal([
      [ada.id, 'owner'],
      [bob.id, 'admin'],
    ]);
    expect(audit.bans[0]).to.include({ userId: cleo.id, bannedBy: bob.id });
    expect(audit.invites.length).to.equal(1);
    expect(JSON.stringify(audit)).to.not.include(code);
    expect(audit.changes[0]).to.include({ type: 'banUser', by: bob.id });
    expect((await admin('group', 'list', '--limit', '1')).length).to.equal(1);
    expect(await refused('group', 'audit', '999999999')).to.equal('There is no group 999999999');
  });

  it('shows of a group nothing of another one: the owner first, then admins, and the newest changes', async () => {
    const [ada, bob, cleo, dan] = await newClients(4);
    const other = await newGroup(ada.client, bob);
    await ada.client.done('banUser', { groupId: other, userId: bob.id });
    await ada.client.done('createInvite', { groupId: other });
    const groupId = await newGroup(ada.client, cleo, bob, dan);
    await ada.client.done('setMemberRole', { groupId, userId: bob.id, role: 'admin' });
    await ada.client.done('transferOwnership', { groupId, userId: dan.id });
    await ada.client.done('messageInGroup', { groupId, content: 'no change of the group' });
    const audit = await admin('group', 'audit', `${groupId}`, '--limit', '2');
    expect(audit.members.map(({ userId }: { userId: number }) => userId)).to.deep.equal(
      [dan, ada, bob, cleo].map(({ id }) => id),
    );
    expect([audit.bans, audit.invites]).to.deep.equal([[], []]);
    expect(audit.changes.map(({ type }: { type: string }) => type)).to.deep.equal([
      'transferOwnership',
      'setMemberRole',
    ]);
    await database.chats.update({ closedAt: new Date() }, { where: { id: groupId } });
    expect((await admin('group', 'audit', `${groupId}`)).members, 'of a deleted group').to.deep.equal([]);
  });

  it('lists the valid invites of a group, without those of a user who has left', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('setMemberRole', { groupId, userId: bob.id, role: 'admin' });
    await bob.client.done('createInvite', { groupId });
    await ada.client.done('createInvite', { groupId });
    const makers = async () =>
      (await admin('group', 'audit', `${groupId}`)).invites.map(
        ({ createdBy }: { createdBy: number }) => createdBy,
      );
    expect(await makers()).to.deep.equal([bob.id, ada.id]);
    await bob.client.done('leaveGroup', { groupId });
    expect(await makers()).to.deep.equal([ada.id]);
  });

  it('exports the stored data of a user, and erases it', async () => {
    const [ada, bob] = await newClients(2);
    const word = `rhubarb${ada.id}`;
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: word });
    await ada.client.done('editMessage', { messageId, content: `${word} pie` });
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'an answer' });
    await bob.client.done('reportMessage', { messageId, reason: 'too sour' });

    await database.execute(sessions, [ada.id, 1_001]); // more than are read at once
    const before = await admin('user', 'export', ada.username);
    expect(new Set(before.sessions.map(({ device }: { device: string }) => device)).size).to.equal(1_002);
    expect([before.chats.length, before.blocked, before.reports]).to.deep.equal([1, [], []]);
    expect(before.account).to.include({ email: ada.email, username: ada.username });
    expect(before.messages.map(({ content }: { content: string }) => content)).to.deep.equal([`${word} pie`]);
    expect(before.earlierVersions[0].content).to.equal(word);
    expect(before.sessions.at(-1).address).to.equal('127.0.0.1');
    expect(Object.keys(before.account).join()).to.not.match(/folded|search|hash|version/i);
    expect(JSON.stringify(before)).to.not.match(/passwordHash|\$2b|an answer/);
    const reports: { messageId: number; content: string }[] = await admin('report', 'list');
    expect(reports.find((report) => report.messageId === messageId)?.content).to.equal(`${word} pie`);

    expect(await refused('user', 'erase', ada.username)).to.match(/^This cannot be undone/);
    expect(await admin('user', 'erase', ada.username, '--yes')).to.deep.equal({
      erased: ada.id,
      messages: 1,
    });
    const { data } = await bob.client.done('getlatestMessageDialog', { receiverId: ada.id });
    expect(data.map(({ content }: { content: string }) => content)).to.deep.equal(['an answer', '']);
    expect(data[1].version).to.equal(2); // the edit, and the change above
    expect((await bob.client.done('searchMessages', { query: word })).data).to.deep.equal([]);
    const after = await admin('user', 'export', `${ada.id}`);
    expect(JSON.stringify(after)).to.not.include(word).and.not.include(ada.username);
    expect([after.messages, after.earlierVersions, after.sessions]).to.deep.equal([[], [], []]);
    const [{ count }] = (await database.query<{ count: number }>(
      'select count(*) from reports where content like $1',
      [`%${word}%`],
    )) as [{ count: number }];
    expect(count).to.equal(0);
  });

  it('exports what a user did in groups, and what others decided about the user', async () => {
    const [ada, bob] = await newClients(2);
    const [own, left, banning] = [
      await newGroup(ada.client),
      await newGroup(bob.client, ada),
      await newGroup(bob.client, ada),
    ];
    const invite = { groupId: own, maxUses: 3, expiresInSeconds: 3_600 };
    const { code } = (await ada.client.done('createInvite', invite)).data;
    const { messageId, seq } = await ada.client.done('messageInGroup', { groupId: own, content: 'pinned' });
    await ada.client.done('pinMessage', { messageId });
    const { messageId: theirs } = await bob.client.done('messageInGroup', { groupId: left, content: 'x' });
    await bob.client.done('pinMessage', { messageId: theirs });
    await bob.client.done('addReaction', { messageId: theirs, emoji: '👍' });
    await ada.client.done('leaveGroup', { groupId: left });
    await bob.client.done('banUser', { groupId: banning, userId: ada.id, reason: 'rude' });
    await bob.client.done('banUser', { groupId: left, userId: ada.id });
    const data = await admin('user', 'export', ada.username);
    const at = (time: unknown) => expect(new Date(String(time)).toISOString()).to.equal(time);
    const rows = (list: Record<string, unknown>[], ...times: string[]) =>
      list.map((row) => {
        for (const name of times) at(row[name]);
        return Object.fromEntries(Object.entries(row).filter(([name]) => !times.includes(name)));
      });
    expect(rows(data.bans, 'createdAt')).to.deep.equal([
      { chatId: left, reason: null },
      { chatId: banning, reason: 'rude' },
    ]);
    expect(rows(data.formerChats, 'leftAt')).to.deep.equal([{ id: left }, { id: banning }]);
    expect(rows(data.pins, 'pinnedAt')).to.deep.equal([{ chatId: own, seq }]);
    expect(data.reactions).to.deep.equal([]);
    const [{ id, ...made }, ...more] = rows(data.invites, 'createdAt', 'expiresAt') as [{ id: number }];
    expect([made, more]).to.deep.equal([{ chatId: own, maxUses: 3, uses: 0, revokedAt: null }, []]);
    expect(id).to.be.a('number');
    expect(JSON.stringify(data)).to.not.include(code); // with which anybody could join
    const others = await admin('user', 'export', bob.username);
    expect([others.bans, others.formerChats, others.invites]).to.deep.equal([[], [], []]);
    expect(others.pins.map(({ chatId }: { chatId: number }) => chatId)).to.deep.equal([left]);
    expect(others.reactions.map(({ emoji }: { emoji: string }) => emoji)).to.deep.equal(['👍']);
  });

  it('erases blocks in both directions, the reports of a user and those of their messages, and no others', async () => {
    const [ada, bob, cleo] = await newClients(3);
    await ada.client.done('blockUser', { userId: bob.id });
    await bob.client.done('blockUser', { userId: ada.id });
    await bob.client.done('blockUser', { userId: cleo.id });
    const { messageId } = await cleo.client.done('privateMessage', { receiverId: ada.id, content: 'x' });
    await ada.client.done('reportMessage', { messageId, reason: 'spam' });
    const { messageId: gone } = await ada.client.done('privateMessage', {
      receiverId: cleo.id,
      content: 'y',
    });
    await cleo.client.done('reportMessage', { messageId: gone, reason: 'deleted later' });
    await ada.client.done('deleteMessage', { messageId: gone });
    const kept = { receiverId: cleo.id, content: 'of another sender' };
    const { messageId: others } = await bob.client.done('privateMessage', kept);
    await cleo.client.done('reportMessage', { messageId: others, reason: 'stays' });
    const reports = async () => (await admin('report', 'list', '--limit', '2')) as Record<string, unknown>[];
    expect((await reports()).map((report) => report.messageId)).to.deep.equal([others, gone]);
    expect((await reports()).map(({ content }) => content)).to.deep.equal(['of another sender', 'y']);
    await ada.client.done('endOtherSessions');
    await admin('user', 'erase', ada.username, '--yes');
    expect((await reports()).map(({ content }) => content)).to.deep.equal(['of another sender', '']);
    const erased = await database.users.findByPk(ada.id);
    expect(erased).to.include({ lastSeenAt: null, othersEndedAt: null, keptTokenId: null });
    const blocks = await database.blocks.findAll({ where: { userId: [ada.id, bob.id, cleo.id] } });
    expect(blocks.map(({ userId, blockedId }) => [userId, blockedId])).to.deep.equal([[bob.id, cleo.id]]);
    expect(await database.reports.count({ where: { reporterId: ada.id } })).to.equal(0);
  });

  it('finds all messages and reactions of a user, also in chats that the user left and in closed groups', async () => {
    const [ada, bob] = await newClients(2);
    const [left, closed] = [await newGroup(bob.client, ada), await newGroup(bob.client, ada)];
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'in a dialog' });
    for (const groupId of [left, closed])
      for (const content of ['one', 'two']) {
        const { messageId } = await ada.client.done('messageInGroup', { groupId, content });
        await ada.client.done('addReaction', { messageId, emoji: '👍' });
        await ada.client.done('editMessage', { messageId, content: `${content} edited` });
      }
    await ada.client.done('leaveGroup', { groupId: left });
    await bob.client.done('deleteGroup', { groupId: closed });
    const { messages, earlierVersions, reactions } = await admin('user', 'export', ada.username);
    const contents = (rows: { content: string }[]) => rows.map(({ content }) => content).sort();
    const twice = (texts: string[]) => [...texts, ...texts].sort();
    expect(contents(messages)).to.deep.equal(['in a dialog', ...twice(['one edited', 'two edited'])]);
    expect(contents(earlierVersions)).to.deep.equal(twice(['one', 'two']));
    expect(reactions.map(({ chatId }: { chatId: number }) => chatId).sort()).to.deep.equal(
      [left, left, closed, closed].sort(),
    );
    expect(await admin('user', 'erase', ada.username, '--yes')).to.include({ messages: 5 });
    expect(await admin('user', 'erase', `${ada.id}`, '--yes')).to.include({ messages: 0 }); // again
  });

  it('reads the chats of a user in slices that use the primary key', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    for (let n = 0; n < 20; n++) await ada.client.done('messageInGroup', { groupId, content: `${n}` });
    await ada.client.done('privateMessage', { receiverId: bob.id, content: '20' });
    const statement = `select content from ${inSpans} cross join lateral ${writtenInSpan} message order by chat_id, seq`;
    const parts: string[][] = [];
    for await (const rows of throughWritten<{ content: string }>(database, ada.id, statement, 7))
      parts.push(rows.map(({ content }) => content));
    expect(parts.flat()).to.deep.equal(Array.from({ length: 21 }, (_, n) => `${n}`));
    expect(parts.map(({ length }) => length)).to.deep.equal([5, 7, 7, 2]); // the first two are of the group itself

    const plan = await database.transaction(async (transaction) => {
      await database.query('select set_config($1, $2, true)', ['enable_seqscan', 'off'], transaction);
      const spans = JSON.stringify([{ chat: groupId, after: 0, to: 7 }]);
      return database.query(`explain ${statement}`, [ada.id, spans], transaction);
    });
    expect(JSON.stringify(plan)).to.match(
      /Index Scan using messages_pkey on messages .*Index Cond: \(\(chat_id = span.chat\) AND \(seq > span.after\) AND \(seq <= span.\W+to\W+\)\)/,
    );
  });

  it('takes effect on every node, once', async () => {
    const other = await startServer();
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob);
    const elsewhere = [await bob.connect(other.url), await cleo.connect(other.url)] as const;
    await admin('user', 'delete', ada.username, '--yes');
    for (const client of [bob.client, elsewhere[0]])
      expect((await client.push('leaveGroup')).params.groupId).to.equal(groupId);
    await admin('user', 'end-sessions', cleo.username); // which a node finds at a later look
    for (const client of [cleo.client, elsewhere[1]]) expect(await client.closed).to.equal(4401);
    for (const client of [bob.client, elsewhere[0]])
      expect((await client.rest()).filter(({ type }) => type === 'leaveGroup')).to.deep.equal([]);
    expect(server.url).to.not.equal(other.url);
    await elsewhere[0].close();
    await other.close();
  });

  it('lists the consumers of events with their lag, and deletes one, but not while a connection serves it', async () => {
    const service = await connectService('events');
    const [ada] = await newClients(1);
    const [consumer, other] = ['orders-of-admin', 'mail-of-admin'];
    const shown = async () => (await admin('consumer', 'list')).find(({ name }: Frame) => name === consumer);
    for (const name of [consumer, other]) await service.done('subscribeEvents', { consumer: name });
    await ada.client.done('privateMessage', { receiverId: ada.id, content: 'an order' });
    await service.push('subscribeEvents');
    await database.execute(`update messages set created_at = created_at - interval '1 hour'`, []);
    const { acknowledgedAt, ...state } = await shown();
    expect(state.lagSeconds).to.be.within(3_600, 3_700);
    expect({ ...state, lagSeconds: 0 }).to.deep.equal({ name: consumer, isServed: true, lagSeconds: 0 });
    expect(Date.parse(acknowledgedAt)).to.be.closeTo(Date.now(), 60_000);
    expect(await refused('consumer', 'delete', consumer, '--yes')).to.equal(
      `Another connection serves the consumer "${consumer}"`,
    );

    await service.close();
    await until(async () => !(await shown()).isServed);
    expect(await refused('consumer', 'delete', consumer)).to.include('Add --yes');
    expect(await admin('consumer', 'delete', consumer, '--yes')).to.deep.equal({ deleted: consumer });
    expect(await shown()).to.equal(undefined);
    expect((await admin('consumer', 'list')).map(({ name }: Frame) => name)).to.include(other);
    expect(await refused('consumer', 'delete', consumer, '--yes')).to.equal(
      `There is no consumer "${consumer}"`,
    );
  });

  it('lists a consumer whose place is lost, and none of a webhook, which it does not delete either', async () => {
    await database.execute(
      `insert into event_consumers (name, cursor)
       select name, jsonb_build_object('run', 'x', 'time', 0, 'since', null, 'window', null)
       from unnest(array['lost-of-admin', 'webhook:99']) name`,
      [],
    );
    const consumers = await admin('consumer', 'list');
    expect(consumers.find(({ name }: Frame) => name === 'lost-of-admin')).to.include({ lagSeconds: null });
    expect(consumers.map(({ name }: Frame) => name)).to.not.include('webhook:99');
    expect(await refused('consumer', 'delete', 'webhook:99', '--yes')).to.include('There is no consumer');
  });

  it('creates an API key, which is shown once and stored hashed, lists it, and revokes it', async () => {
    const { key, ...created } = await admin('key', 'create', 'backend', 'users, act,users');
    expect(key).to.match(new RegExp(`^pk_${created.id}_[\\w-]{43}$`));
    expect(created).to.deep.include({ name: 'backend', scopes: ['users', 'act'], lastUsedAt: null });
    const { key: other } = await admin('key', 'create', 'backend', 'act');
    const stored = await database.query('select service_keys::text from service_keys', []);
    const secret = key.slice(-43);
    expect(JSON.stringify(stored)).to.not.include(secret);
    expect(JSON.stringify(stored)).to.not.include(Buffer.from(secret, 'base64url').toString('hex'));

    const listed = await admin('key', 'list');
    expect(listed[1]).to.deep.equal(created);
    expect(JSON.stringify(listed)).to.not.include(secret).and.not.include(other);

    const revoked = await admin('key', 'revoke', `${created.id}`);
    expect(revoked.revokedAt).to.be.a('string');
    expect(await admin('key', 'revoke', `${created.id}`)).to.deep.equal(revoked);
    expect((await admin('key', 'list'))[1]).to.deep.equal(revoked);
  });

  it('refuses an API key without a name or with scopes that do not exist, and ids of none', async () => {
    for (const [name, scopes, message] of [
      ['', 'act', 'arguments.name'],
      ['two\nlines', 'act', 'arguments.name'],
      ['backend', '', 'There is no scope ""; expected one or more of act, users'],
      ['backend', 'act,root', 'There is no scope "root"'],
      ['backend', 'toString', 'There is no scope "toString"'],
    ] as const)
      expect(await refused('key', 'create', name, scopes), scopes).to.include(message);
    for (const id of ['0', '999999', 'backend', '1.5', '9'.repeat(30)])
      expect(await refused('key', 'revoke', id), id).to.equal(`There is no key ${id}`);
  });
});
