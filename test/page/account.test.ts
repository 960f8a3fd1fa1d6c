import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { connectAs, http, newClients, newUser, newUsers, server } from '../support/harness.ts';
import { startRelay } from '../support/relay.ts';
import { enter, eventually, messageIn, newWindow, sendMessage, windowOf, withBrowser } from './browser.ts';

/** Returns all that a page stores in the browser, as JSON. */
const storageOf = (page: Page): Promise<string> =>
  page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));

describe('an account in the page', function () {
  this.timeout(120_000);
  withBrowser();

  it('shows the problem with an account, and logs a registered user in', async () => {
    const user = await newUser();
    const page = await newWindow();
    await page.goto(server.url);
    await page.getByLabel('Email').fill('new@example.com');
    await page.getByLabel('Username').fill(user.username);
    await page.getByLabel('Password').fill('correct horse');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByRole('alert').getByText('This username is taken.').waitFor();
    await page.getByRole('button', { name: 'Log in' }).click();
    const [name, password] = [page.getByLabel('Username or email'), page.getByLabel('Password')];
    expect(await password.getAttribute('autocomplete')).to.equal('current-password');
    await name.fill(` ${user.email} `);
    await password.fill('wrong'); // shorter than a new one may be
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').getByText('Unknown account or wrong password.').waitFor();
    await password.fill(user.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('No chats yet').waitFor();
    await page.reload();
    await page.getByText('No chats yet').waitFor();
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByRole('button', { name: 'Log out', exact: true }).click();
    await page.getByRole('button', { name: 'Create account' }).waitFor();
  });

  it('hides the last problem while an attempt is under way, and prevents a second one', async () => {
    const user = await newUser();
    const page = await newWindow();
    await page.goto(server.url);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByLabel('Username or email').fill(user.username);
    await page.getByLabel('Password').fill('wrong horse');
    const logIn = page.getByRole('button', { name: 'Log in' });
    await logIn.click();
    await page.getByRole('alert').waitFor();
    await page.route('**/auth/login', () => {}); // is never answered
    await logIn.click();
    await page.getByRole('alert').waitFor({ state: 'detached' });
    expect(await logIn.isDisabled()).to.equal(true);
  });

  it('revokes the token at the logout, in every window', async () => {
    const user = await newUser();
    const [page, other] = [await windowOf(user), await windowOf(user)];
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.locator('.buttons').getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Create account' }).waitFor();
    expect(await page.getByRole('status').count()).to.equal(0);
    await other.getByText('You were logged out').waitFor();
    for (const window of [page, other]) expect(await storageOf(window)).to.equal('{}');
    await other.getByRole('button', { name: 'Log in' }).click();
    await other.getByLabel('Username or email').fill(user.username);
    await other.getByLabel('Password').fill('wrong horse');
    await other.getByRole('button', { name: 'Log in' }).click();
    await other.getByRole('alert').waitFor();
    expect(await other.getByRole('status').count()).to.equal(0); // the notice is outdated
    expect(await connectAs(user.token).catch(({ status }) => status)).to.equal(401);
    expect((await http('PATCH', '/users/me', { token: user.token, body: {} })).status).to.equal(401);
  });

  it('removes only its own token at the logout, and a reload shows the login form', async () => {
    const [ada, bob] = await newUsers(2);
    const page = await newWindow();
    const setToken = (token: string) =>
      page.evaluate((value) => localStorage.setItem('parley.token', value), token);
    const logOut = async () => {
      await page.getByRole('button', { name: 'Settings' }).click();
      await page.getByRole('button', { name: 'Log out', exact: true }).click();
      await page.getByRole('button', { name: 'Create account' }).waitFor();
    };
    await page.goto(server.url);
    await setToken(ada.token);
    await page.reload();
    await page.getByText('No chats yet').waitFor();
    await setToken(bob.token); // another window of the browser logged in
    await logOut();
    expect(await storageOf(page)).to.equal(JSON.stringify({ 'parley.token': bob.token }));
    await page.reload();
    await page.getByText('No chats yet').waitFor();
    await logOut();
    expect(await storageOf(page)).to.equal('{}');
    await page.reload();
    await page.getByRole('button', { name: 'Create account' }).waitFor();
    expect(await page.getByRole('status').count()).to.equal(0);
  });

  it('reports that it could not revoke the token because the server is unreachable', async () => {
    const relay = await startRelay(server.url);
    const user = await newUser();
    const page = await newWindow();
    await page.addInitScript(() => {
      AbortSignal.timeout = () => AbortSignal.abort(new Error('the server did not answer in time'));
    });
    await enter(page, user, '', relay.url);
    await page.getByRole('button', { name: 'Settings' }).click();
    await relay.cut();
    await page.getByText('No connection').waitFor();
    await page.getByRole('button', { name: 'Log out', exact: true }).click();
    await page.getByRole('status').getByText('the server could not be reached').waitFor();
    expect(await storageOf(page)).to.equal('{}');
    await connectAs(user.token);
    await page.close();
  });

  it('lets somebody else log in in a second window, and stays with the first user in others', async () => {
    const [ada, bob] = await newUsers(2);
    const first = await windowOf(ada);
    const [second] = await Promise.all([
      first.context().waitForEvent('page'),
      first.getByRole('link', { name: 'open a second window' }).click(),
    ]);
    await second.getByRole('button', { name: 'Log in' }).click();
    await second.getByLabel('Username or email').fill(bob.username);
    await second.getByLabel('Password').fill(bob.password);
    await second.getByRole('button', { name: 'Log in' }).click();
    await second.getByText('No chats yet').waitFor();
    expect(await second.evaluate(() => localStorage.getItem('parley.token'))).to.equal(ada.token);
    await first.goto(`${server.url}/#/user/${bob.id}`);
    await sendMessage(first, 'Hello, me');
    await second.getByRole('link', { name: /Hello, me/ }).waitFor();
    await first.reload();
    await messageIn(first, 'Hello, me').waitFor();
  });

  it('saves the profile and the invisibility', async () => {
    const [ada, bob] = await newClients(2);
    const page = await windowOf(ada);
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByLabel('Display name').fill('Ada Lovelace');
    await page.getByLabel('About you').fill('Engines');
    const invisible = page.getByLabel('Invisible');
    expect(await invisible.isChecked()).to.equal(false);
    await invisible.check();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Saved' }).waitFor();
    const { data } = await bob.client.done('getProfile', { userId: ada.id });
    expect(data).to.include({ displayName: 'Ada Lovelace', about: 'Engines', online: false });
    await page.getByLabel('About you').fill('');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: 'Saved' }).waitFor();
    expect((await bob.client.done('getProfile', { userId: ada.id })).data.about).to.equal(null);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Settings' }).click();
    expect(await page.getByLabel('Display name').inputValue()).to.equal('Ada Lovelace');
    expect(await page.getByLabel('About you').inputValue()).to.equal('');
    expect(await invisible.isChecked()).to.equal(true);
    await invisible.uncheck();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: 'Saved' }).waitFor();
    const { data: visible } = await bob.client.done('getProfile', { userId: ada.id });
    expect(visible).to.include({ displayName: 'Ada Lovelace', online: true });
  });

  it('logs one device out, and all others with a new password, after which it stays logged in itself', async () => {
    const [ada, bob] = await newClients(2);
    const page = await windowOf(ada);
    const other = await windowOf(ada);
    await ada.client.close();
    await page.getByRole('button', { name: 'Settings' }).click();
    await page
      .getByRole('listitem')
      .filter({ hasText: 'since' })
      .getByRole('button', { name: 'Log out' })
      .click();
    await other.getByText('You were logged out').waitFor();
    await other.context().close();
    const device = await ada.connect();
    await page.getByText('Change password').click();
    const [current, next] = [page.getByLabel('Current password'), page.getByLabel('New password')];
    await current.fill('wrong horse');
    await next.fill('another horse');
    await page.getByRole('button', { name: 'Set new password' }).click();
    await page.getByRole('dialog').getByRole('alert').waitFor();
    expect(await page.getByText('Password changed.').count()).to.equal(0);
    await current.fill(ada.password);
    await page.getByRole('button', { name: 'Set new password' }).click();
    await page.getByText('Password changed.').waitFor();
    expect([await current.inputValue(), await next.inputValue()]).to.deep.equal(['', '']);
    const tokens = await page.evaluate(() =>
      [localStorage, sessionStorage].map((all) => all['parley.token']),
    );
    expect(tokens[0]).to.equal(tokens[1]).and.not.equal(ada.token);
    expect(await device.closed).to.equal(4401);
    await page.keyboard.press('Escape');
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'Still there?' });
    await page.getByRole('link', { name: /Still there\?/ }).waitFor();
  });

  it('stays logged in when its connection ends before the answer to the new password is there', async () => {
    const ada = await newUser();
    const page = await newWindow();
    const connected = page.waitForEvent('websocket');
    await enter(page, ada);
    const ended = (await connected).waitForEvent('close');
    await page.route('**/users/me', async (route) => {
      const response = await route.fetch();
      await ended;
      await page.getByText('No connection').waitFor();
      await route.fulfill({ response });
    });
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByText('Change password').click();
    await page.getByLabel('Current password').fill(ada.password);
    await page.getByLabel('New password').fill('another horse');
    await page.getByRole('button', { name: 'Set new password' }).click();
    await page.getByText('Password changed.').waitFor();
    await page.getByText('No connection').waitFor({ state: 'hidden' });
  });

  it('logs all other devices out at once, and has no logout beside its own', async () => {
    const user = await newUser();
    const device = await user.connect();
    const page = await windowOf(user);
    await page.getByRole('button', { name: 'Settings' }).click();
    const sessions = page.getByRole('dialog').getByRole('listitem');
    await eventually(() => sessions.count(), 2);
    await eventually(() => sessions.getByRole('button').count(), 1);
    await page.getByRole('button', { name: 'Log out all others' }).click();
    expect(await device.closed).to.equal(4401);
    await eventually(() => sessions.count(), 1);
    expect(await sessions.getByRole('button').count()).to.equal(0);
    expect(await sessions.innerText()).to.match(/^Chrome.*\s+this device$/);
  });

  it('deletes the account with its password, and not with another one', async () => {
    const user = await newUser();
    const page = await windowOf(user);
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByText('Delete account').click();
    const form = page.locator('details', { hasText: 'Delete account' });
    await form.getByLabel('Password').fill('wrong horse');
    await form.getByRole('button', { name: 'Delete permanently' }).click();
    await form.getByRole('alert').waitFor();
    await form.getByLabel('Password').fill(user.password);
    await form.getByRole('button', { name: 'Delete permanently' }).click();
    await page.getByRole('button', { name: 'Create account' }).waitFor();
    expect(await page.getByRole('status').count()).to.equal(0);
    expect(await storageOf(page)).to.equal('{}');
    expect(await connectAs(user.token).catch(({ status }) => status)).to.equal(401);
  });
});
