import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { messageIn, newWindow, windowOf, withBrowser } from '../page/browser.ts';
import { newClients, newGroup, server } from '../support/harness.ts';

const phone = { viewport: { width: 390, height: 780 } };
const LOOKS = [
  ['day', { colorScheme: 'light' }],
  ['night', { colorScheme: 'dark' }],
  ['phone', { colorScheme: 'light', ...phone }],
  ['phone at night', { colorScheme: 'dark', ...phone }],
] as const;

const axe = await readFile('node_modules/axe-core/axe.min.js', 'utf8');

async function check(page: Page, state: string): Promise<void> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import('axe-core') };
    const { violations } = await axe.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
  expect(violations, state).to.deep.equal([]);
}

describe('the page in a browser', function () {
  this.timeout(300_000);
  withBrowser();

  it('passes the axe checks in light and dark mode, on a desktop and on a phone', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const { messageId } = await ada.client.done('messageInGroup', { groupId, content: 'Hello' });
    await bob.client.done('messageInGroup', { groupId, content: 'Hi', replyTo: messageId });
    await bob.client.done('addReaction', { messageId, emoji: '👍' });
    await ada.client.done('privateMessage', { receiverId: bob.id, content: `@${bob.username} see you` });
    for (const [name, options] of LOOKS) {
      const outside = await newWindow(options);
      await outside.goto(server.url);
      await outside.getByRole('button', { name: 'Create account' }).waitFor();
      await check(outside, `${name}: the start page`);
      const page = await windowOf(bob, '', { ...options, reducedMotion: 'reduce' });
      await page.getByRole('link', { name: /Climbers/ }).waitFor();
      await check(page, `${name}: the list`);
      await page.getByRole('button', { name: 'New chat or group' }).click();
      for (const tab of ['New group', 'Public groups', 'Person']) {
        await page.getByRole('button', { name: tab, exact: true }).click();
        await check(page, `${name}: ${tab}`);
      }
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Settings' }).click();
      await page.getByLabel('Display name').waitFor();
      await page.getByText('Delete account').click();
      await check(page, `${name}: settings`);
      await page.keyboard.press('Escape');
      await page.getByRole('link', { name: /Climbers/ }).click();
      await messageIn(page, 'Hello').waitFor();
      await check(page, `${name}: a group`);
      await messageIn(page, 'Hello').hover();
      await messageIn(page, 'Hello').getByRole('button', { name: 'Message actions' }).click();
      await check(page, `${name}: the menu`);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'About Climbers' }).click();
      await page.getByRole('dialog').getByText('owner').waitFor();
      await check(page, `${name}: about the group`);
    }
  });

  it('passes them at /docs/ as well, also while it shows what the search found', async () => {
    for (const [name, options] of LOOKS) {
      const page = await newWindow(options);
      for (const path of ['', 'commands/sync', 'protocol', 'errors']) {
        await page.goto(`${server.url}/docs/${path}`);
        await check(page, `${name}: ${path}`);
      }
      await page.getByRole('searchbox').fill('seq');
      await page.locator('.found a').first().waitFor();
      await check(page, `${name}: the search`);
    }
  });
});
