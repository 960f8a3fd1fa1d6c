import { resolve } from 'node:path';
import { expect } from 'chai';
import { createServer, type ViteDevServer } from 'vite';
import { builtFile } from '../support/builtFile.ts';
import { newClients, newUsers, server, temporaryFolder, type User } from '../support/harness.ts';
import { type Relay, startRelay } from '../support/relay.ts';
import { newWindow, withBrowser } from './browser.ts';

/** Defines the tests of examples/react, with the React of the project or the one in a folder of packages. */
export function testReactExample(packages = resolve('node_modules')): void {
  withBrowser();
  let vite: ViteDevServer;
  let relay: Relay;
  let url: string;

  before(async () => {
    builtFile('dist/package/react.js');
    relay = await startRelay(server.url);
    process.env.PARLEY_URL = relay.url;
    vite = await createServer({
      configFile: 'examples/react/vite.config.js',
      resolve: { alias: [{ find: /^(react|react-dom)(?=\/|$)/, replacement: `${packages}/$1` }] },
      cacheDir: await temporaryFolder(),
      logLevel: 'silent',
      server: { host: '127.0.0.1', port: 0 },
    });
    await vite.listen();
    url = vite.resolvedUrls?.local[0] ?? '';
    const { id } = (await vite.environments.ssr.pluginContainer.resolveId('react')) ?? {};
    expect(id)
      .to.match(/react\/index\.js$/)
      .and.include(packages);
  });

  after(async () => {
    delete process.env.PARLEY_URL;
    await vite?.close();
    await relay?.cut();
  });

  async function open(user: User) {
    const page = await newWindow();
    await page.goto(url);
    await page.getByLabel('Username').fill(user.username);
    await page.getByLabel('Password').fill(user.password);
    await page.getByRole('button', { name: 'Enter' }).click();
    await page.getByRole('status').getByText('online').waitFor();
    return page;
  }

  it('sends and receives messages, with their status, typing and presence', async () => {
    const [ada, bob] = await newClients(2);
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'Hi Ada' });
    const page = await open(ada);
    await page.getByRole('button', { name: `${bob.username} (1)` }).click();
    await page.getByRole('listitem').filter({ hasText: 'Hi Ada' }).waitFor();
    await page.getByRole('button', { name: bob.username, exact: true }).waitFor(); // read
    await page.getByText('online', { exact: true }).nth(1).waitFor();
    await page.getByLabel('Message').fill('Hi Bob');
    await page.getByRole('button', { name: 'Send' }).click();
    const { seq } = (await bob.client.push('privateMessage')).params;
    await page.getByRole('listitem').filter({ hasText: 'Hi Bob sent' }).waitFor();
    await bob.client.done('markRead', { receiverId: ada.id, seq });
    await page.getByRole('listitem').filter({ hasText: 'Hi Bob read' }).waitFor();
    await bob.client.done('typing', { receiverId: ada.id, typing: true });
    await page.getByText(`${bob.username} …`).waitFor();
  });

  it('says why nobody was found by a name', async () => {
    const [ada] = await newUsers(1);
    const page = await open(ada);
    const search = async (text: string) => {
      await page.getByLabel('Write to').fill(text);
      await page.keyboard.press('Enter');
    };
    await search('nobody at all');
    await page.getByRole('alert').getByText('Nobody has that name').waitFor();
    await search('x'.repeat(1_000));
    await page.getByRole('alert').getByText('params.query must have at most').waitFor();
    await search(ada.username);
    await page.getByLabel('Message').waitFor();
    expect(await page.getByRole('alert').textContent()).to.equal('');
  });

  it('writes to a user who is found by the name', async () => {
    const [ada, bob] = await newUsers(2);
    const device = await bob.connect();
    const page = await open(ada);
    await page.getByLabel('Write to').fill(bob.username);
    await page.keyboard.press('Enter');
    await page.getByLabel('Message').fill('Found you');
    await page.keyboard.press('Enter');
    expect((await device.push('privateMessage')).params.message).to.equal('Found you');
    await page.getByRole('navigation').getByRole('button', { name: bob.username }).waitFor();
  });

  it('shows the state of the connection, and what was missed after it', async () => {
    const [ada, bob] = await newClients(2);
    const page = await open(ada);
    await relay.cut();
    await page.getByRole('status').getByText('offline').waitFor();
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'Missed' });
    await relay.restore();
    await page.getByRole('status').getByText('online').waitFor();
    await page.getByRole('button', { name: `${bob.username} (1)` }).waitFor();
  });
}
