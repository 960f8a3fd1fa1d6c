import { expect } from 'chai';
import { http, newClients, newGroup, newUser, newUsers, server, type User } from '../support/harness.ts';
import { startRelay } from '../support/relay.ts';
import {
  choose,
  enter,
  eventually,
  messageIn,
  newWindow,
  sendMessage,
  sentTypesOf,
  windowOf,
  withBrowser,
} from './browser.ts';

describe('groups in the page', function () {
  this.timeout(120_000);
  withBrowser();

  /** A user with a window at the panel of a group that is theirs. */
  async function openGroup() {
    const [ada] = await newClients(1);
    const groupId = await newGroup(ada.client);
    await ada.client.done('updateGroup', { groupId, description: 'Friends of heights' });
    const page = await windowOf(ada, `#/group/${groupId}`);
    const about = page.getByRole('button', { name: 'About Climbers' });
    await about.getByText('1 member', { exact: true }).waitFor();
    await about.click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Friends of heights').first().waitFor();
    return { ada, groupId, page, dialog };
  }

  it('opens with a truncated invite link too, and reports the problem with this link only', async () => {
    const page = await windowOf(await newUser());
    const open = (hash: string) => page.evaluate((value) => location.assign(value), hash);
    await open('#/join/abc%');
    await page.reload();
    await page.getByRole('button', { name: 'Join the group' }).click();
    await page.getByRole('alert').waitFor();
    await open('#/join/another');
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Join the group' }).waitFor();
  });

  it('opens with the address of no chat, and reports that there is no such person', async () => {
    const page = await windowOf(await newUser(), '#/user/999999999');
    await page.locator('.chat-header').getByText('There is no user 999999999.').waitFor();
    for (const hash of ['#/group/x', '#/user/0', '#/elsewhere/1']) {
      await page.evaluate((value) => location.assign(value), hash);
      await page.getByText('Choose a chat').waitFor();
      await page.evaluate(() => location.assign('#/user/999999999'));
      await page.getByRole('textbox', { name: 'Write a message' }).waitFor();
    }
  });

  it('creates groups, assigns roles, and lets users join by invite or by search', async () => {
    const [ada, bob, cleo] = await newUsers(3);
    const page = await windowOf(ada);
    const name = `Climbers ${ada.id}`;
    await page.getByRole('button', { name: 'New chat or group' }).click();
    await page.getByRole('button', { name: 'New group' }).click();
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByLabel('Add people').fill(bob.username);
    await page.getByRole('dialog').getByRole('button', { name: bob.username, exact: true }).click();
    await page.getByRole('button', { name: 'Create group' }).click();
    await page.getByText('2 members').waitFor();
    await page.getByRole('button', { name: `About ${name}` }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: `Change ${bob.username}` }).selectOption('Make admin');
    await dialog.getByText('admin', { exact: true }).waitFor();
    await dialog.getByRole('button', { name: 'New invite link' }).click();
    const link = await dialog.getByRole('textbox', { name: 'Invite link' }).inputValue();
    await dialog.getByText('Settings').click();
    await dialog.getByLabel('Public').check();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('Public · 2 members').waitFor();

    const guest = await windowOf(cleo, new URL(link).hash);
    await guest.getByRole('button', { name: 'Join the group' }).click();
    await sendMessage(guest, 'I am in');
    await dialog.getByText('Public · 3 members').waitFor();
    await page.keyboard.press('Escape');
    await messageIn(page, 'I am in').waitFor();
    await page.getByText(`${cleo.username} joined`).waitFor();

    await sendMessage(page, 'Welcome');
    await messageIn(guest, 'Welcome').waitFor();
    await choose(page, 'Welcome', 'Read by');
    const readers = page.getByRole('dialog', { name: 'Read by' }).getByRole('listitem');
    await readers
      .filter({ hasText: cleo.username })
      .getByText('read', { exact: true })
      .waitFor({ state: 'attached' });
    await readers
      .filter({ hasText: bob.username })
      .getByText('sent', { exact: true })
      .waitFor({ state: 'attached' });
    await page.keyboard.press('Escape');

    const stranger = await windowOf(await newUser());
    await stranger.getByRole('button', { name: 'New chat or group' }).click();
    await stranger.getByRole('button', { name: 'Public groups' }).click();
    await stranger.getByLabel('Find a group').fill(name);
    await stranger.getByRole('button', { name: new RegExp(name) }).click();
    await stranger.getByText('4 members').waitFor();
    await stranger.getByRole('button', { name: `About ${name}` }).click();
    await stranger.getByRole('button', { name: 'Leave' }).click();
    await stranger.getByText('No chats yet').waitFor();
    await page.getByText('3 members').waitFor();
  });

  it('creates a private group of those who were chosen and not taken off again', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const page = await windowOf(ada);
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'New chat or group' }).click();
    await page.getByRole('button', { name: 'New group' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Climbers');
    for (const { username } of [bob, cleo]) {
      await page.getByLabel('Add people').fill(username);
      await dialog.getByRole('button', { name: username, exact: true }).click();
      await eventually(() => page.getByLabel('Add people').inputValue(), '');
    }
    await dialog.getByRole('button', { name: `Remove ${bob.username}` }).click();
    await page.getByRole('button', { name: 'Create group' }).click();
    await page.getByText('2 members').waitFor();
    const { groupId } = (await cleo.client.push('newGroup')).params;
    expect((await cleo.client.done('getGroup', { groupId })).data.isPrivate).to.equal(true);
    expect(await bob.client.rest()).to.deep.equal([]);
  });

  it('offers neither the user nor those who are chosen already', async () => {
    const users = await newUsers(3);
    const rename = async ({ token, id }: User) => {
      const username = `${id}-alone`; // so that nobody else is found
      await http('PATCH', '/users/me', { token, body: { username } });
      return username;
    };
    const [own, other, third] = await Promise.all(users.map(rename));
    const page = await windowOf(users[0]);
    await page.getByRole('button', { name: 'New chat or group' }).click();
    await page.getByRole('button', { name: 'New group' }).click();
    const field = page.getByLabel('Add people');
    /** Searches for somebody who is found, whom the page shows until it has the results of the next search. */
    const search = async (name = '') => {
      await field.fill(name);
      const found = page.getByRole('dialog').getByRole('button', { name, exact: true });
      await found.waitFor();
      return found;
    };
    const nobody = page.getByText('No user found');
    await search(other);
    await field.fill(own ?? '');
    await nobody.waitFor();
    await (await search(other)).click();
    await search(third);
    await field.fill(other ?? '');
    await nobody.waitFor();
  });

  it('saves the settings of a group', async () => {
    const { ada, groupId, dialog } = await openGroup();
    await dialog.getByText('Settings').click();
    await dialog.getByLabel('Name').fill('Sailors');
    await dialog.getByLabel('Description').fill('');
    await dialog.getByLabel('Only admins').check();
    await dialog.getByLabel('Slow mode').fill('60');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('heading', { name: 'Sailors' }).waitFor();
    const saved = { groupName: 'Sailors', description: null, whoMayPost: 'admins', slowModeSeconds: 60 };
    const { data } = await ada.client.done('getGroup', { groupId });
    expect(data).to.include({ ...saved, isPrivate: true });
  });

  it('copies an invite link, and takes it back', async () => {
    const { ada, groupId, page, dialog } = await openGroup();
    const cleo = await newUser();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await dialog.getByRole('button', { name: 'New invite link' }).click();
    const link = await dialog.getByRole('textbox', { name: 'Invite link' }).inputValue();
    await dialog.getByRole('button', { name: 'Copy' }).click();
    await dialog.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).to.equal(link);
    const [{ code }] = (await ada.client.done('listInvites', { groupId })).data;
    await dialog.getByRole('button', { name: 'Revoke' }).click();
    await dialog.getByRole('textbox', { name: 'Invite link' }).waitFor({ state: 'detached' });
    expect(await (await cleo.connect()).refused('joinByInvite', { code })).to.equal('NOT_FOUND');
  });

  it('offers for each member what the own role permits', async () => {
    const [ada, bob, cleo, dan] = await newClients(4);
    const groupId = await newGroup(ada.client, bob, cleo, dan);
    for (const { id } of [bob, cleo])
      await ada.client.done('setMemberRole', { groupId, userId: id, role: 'admin' });
    await ada.client.done('updateGroup', { groupId, whoMayAdd: 'admins' });
    /** The actions that the panel offers to a user, by the name of the member. */
    const offered = async (user: User) => {
      const page = await windowOf(user, `#/group/${groupId}`);
      await page.getByRole('button', { name: 'About Climbers' }).click();
      const dialog = page.getByRole('dialog');
      await eventually(() => dialog.locator('.members > li').count(), 4);
      const selects = await dialog.getByRole('combobox').all();
      const rows = selects.map(async (select) => [
        await select.getAttribute('aria-label'),
        (await select.getByRole('option').allTextContents()).slice(1),
      ]);
      const others = [
        dialog.getByLabel('Add a member'),
        dialog.getByRole('button', { name: 'New invite link' }),
        dialog.getByText('Settings', { exact: true }),
        dialog.getByRole('button', { name: 'Leave' }),
        dialog.getByRole('button', { name: 'Delete for everybody' }),
      ];
      const counts = await Promise.all(others.map((one) => one.count()));
      return { ...Object.fromEntries(await Promise.all(rows)), counts };
    };
    const ofAdmin = ['Make member', 'Make owner', 'Remove', 'Ban'];
    expect(await offered(ada)).to.deep.equal({
      [`Change ${bob.username}`]: ofAdmin,
      [`Change ${cleo.username}`]: ofAdmin,
      [`Change ${dan.username}`]: ['Make admin', 'Make owner', 'Remove', 'Ban'],
      counts: [1, 1, 1, 1, 1],
    });
    expect(await offered(bob)).to.deep.equal({
      [`Change ${dan.username}`]: ['Remove', 'Ban'],
      counts: [1, 1, 1, 1, 0],
    });
    expect(await offered(dan)).to.deep.equal({ counts: [0, 0, 0, 1, 0] });
  });

  it('does to each member what was chosen', async () => {
    const [ada, bob, cleo, dan] = await newClients(4);
    const groupId = await newGroup(ada.client, bob, cleo, dan);
    const page = await windowOf(ada, `#/group/${groupId}`);
    await page.getByRole('button', { name: 'About Climbers' }).click();
    const choose = ({ username }: User, action: string) =>
      page.getByRole('combobox', { name: `Change ${username}` }).selectOption(action);
    await choose(bob, 'Remove');
    expect((await bob.client.push('removeUserFromGroup')).params.userId).to.equal(bob.id);
    await choose(cleo, 'Ban');
    expect((await cleo.client.push('banUser')).params.userId).to.equal(cleo.id);
    for (const role of ['admin', 'member']) {
      await choose(dan, `Make ${role}`);
      expect((await dan.client.push('setMemberRole')).params).to.include({ userId: dan.id, role });
    }
    await choose(dan, 'Make owner');
    expect((await dan.client.push('transferOwnership')).params.userId).to.equal(dan.id);
    await eventually(
      () => page.getByRole('dialog').locator('.members .row-text').allInnerTexts(),
      [`${ada.username} (you)\nadmin`, `${dan.username}\nowner`],
    );
  });

  it('lists all members of a large group', async () => {
    const [ada] = await newClients(1);
    const others = await newUsers(100);
    const userIds = others.map(({ id }) => id);
    const { groupId } = await ada.client.done('newGroup', { groupName: 'Climbers', userIds });
    const page = await windowOf(ada, `#/group/${groupId}`);
    await page.getByRole('button', { name: 'About Climbers' }).click();
    await eventually(() => page.getByRole('dialog').locator('.members > li').count(), 101);
  });

  it('stays open with the problem when an action is refused', async () => {
    const { ada, groupId, page, dialog } = await openGroup();
    await ada.client.done('deleteGroup', { groupId });
    await dialog.getByRole('button', { name: 'Leave' }).click();
    await dialog.getByRole('alert').waitFor();
    expect(new URL(page.url()).hash).to.equal(`#/group/${groupId}`);
  });

  it('reports that its members cannot be read, until they can', async () => {
    const [ada] = await newClients(1);
    const groupId = await newGroup(ada.client);
    const page = await newWindow();
    let fails = true;
    await page.routeWebSocket(/./, (socket) => {
      socket.connectToServer().onMessage((frame) => {
        const reply = JSON.parse(String(frame));
        const failure = { id: reply.id, type: reply.type, error: true, code: 'TIMEOUT', message: 'Too slow' };
        socket.send(fails && reply.type === 'listGroupMembers' ? JSON.stringify(failure) : frame);
      });
    });
    await enter(page, ada, `#/group/${groupId}`);
    await page.getByRole('button', { name: 'About Climbers' }).click();
    const problem = page.getByRole('dialog').getByRole('alert');
    await problem.getByText('Too slow.').waitFor();
    fails = false;
    await ada.client.done('updateGroup', { groupId, description: 'Friends of heights' });
    await problem.waitFor({ state: 'detached' });
    await page.getByRole('dialog').getByText(`${ada.username} (you)`).waitFor();
  });

  it('accepts no second action while one is under way', async () => {
    const relay = await startRelay(server.url);
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const page = await newWindow();
    await enter(page, ada, `#/group/${groupId}`, relay.url);
    await page.getByRole('button', { name: 'About Climbers' }).click();
    const dialog = page.getByRole('dialog');
    const button = (name: string) => dialog.getByRole('button', { name });
    await dialog.getByText('Settings').click();
    await dialog.getByRole('combobox').waitFor();
    relay.hold(); // the server does not answer
    await button('New invite link').click();
    await button('Save').click();
    const busy = ['New invite link', 'Save', 'Leave', 'Delete for everybody'].map(button);
    for (const one of [...busy, dialog.getByRole('combobox')]) await eventually(() => one.isDisabled(), true);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'New chat or group' }).click();
    await button('New group').click();
    await dialog.getByLabel('Name', { exact: true }).fill('Sailors');
    await button('Create group').click();
    await eventually(() => button('Create group').isDisabled(), true);
    await page.close();
    await relay.cut();
  });

  it('asks before it deletes a group', async () => {
    const { ada, groupId, page, dialog } = await openGroup();
    const answers = [false, true];
    page.on('dialog', (question) => (answers.shift() ? question.accept() : question.dismiss()));
    await dialog.getByRole('button', { name: 'Delete for everybody' }).click();
    expect(answers).to.have.length(1);
    await ada.client.done('getGroup', { groupId });
    await dialog.getByRole('button', { name: 'Delete for everybody' }).click();
    await page.getByText('Choose a chat').waitFor();
    expect(await ada.client.refused('getGroup', { groupId })).to.equal('NOT_FOUND');
  });

  it('reads a group that it shows again after changes of this group, and of no other', async () => {
    const [ada, bob] = await newClients(2);
    const [groupId, other] = [await newGroup(ada.client, bob), await newGroup(ada.client, bob)];
    const page = await newWindow();
    const sent = sentTypesOf(page);
    await enter(page, bob, `#/group/${groupId}`);
    const reads = () => sent.filter((type) => type === 'listGroupMembers').length;
    const change = (id: number, description: string) =>
      ada.client.done('updateGroup', { groupId: id, description });
    await page.getByRole('button', { name: 'About Climbers' }).click();
    await eventually(async () => reads(), 1);
    await change(other, 'of another group');
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    await page.getByRole('link', { name: '1 unread' }).waitFor(); // the page has processed both pushes
    expect(reads()).to.equal(1);
    await change(groupId, 'changed');
    await page.getByRole('dialog').getByText('changed').waitFor();
    expect(reads()).to.equal(2);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await change(groupId, 'while it is closed');
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    await page.getByRole('link', { name: '2 unread' }).waitFor();
    expect(reads()).to.equal(2);
    expect(sent.filter((type) => type === 'getMessages')).to.have.length(1); // there are no older ones
  });
});
