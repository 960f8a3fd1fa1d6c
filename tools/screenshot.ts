import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { findChromium } from '../test/support/chromium.ts';
import { startProcess } from '../test/support/process.ts';

/* Takes the screenshot of the README with a server of its own and three users in browser windows. */

const folder = await mkdtemp(join(tmpdir(), 'parley-screenshot-'));
const server = await startProcess({ DATA_DIR: folder });
const browser = await chromium.launch({
  executablePath: findChromium() ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});

try {
  const ada = await enter('Ada');
  const grace = await enter('Grace');
  const linus = await enter('Linus');

  await find(ada, 'Linus');
  await say(ada, 'Linus', 'Did you sleep at all?');
  await linus.getByRole('link', { name: /Ada/ }).click();
  await say(linus, 'Ada', 'A little. It compiles now.');

  await ada.getByRole('button', { name: 'New chat or group' }).click();
  await ada.getByRole('button', { name: 'New group' }).click();
  await ada.getByLabel('Name', { exact: true }).fill('Engine room');
  for (const name of ['Grace', 'Linus']) {
    await ada.getByLabel('Add people').fill(name);
    await ada.getByRole('dialog').getByRole('button', { name, exact: true }).click();
  }
  await ada.getByRole('button', { name: 'Create group' }).click();
  await say(
    ada,
    'Engine room',
    'Gears on Monday, cards on Tuesday, and on Wednesday we see whether it adds up.',
  );
  await linus.getByRole('link', { name: /Engine room/ }).click();
  await say(linus, 'Engine room', 'Count me in.');

  await find(grace, 'Ada');
  await say(grace, 'Ada', 'I found a moth in the relay 🦋');
  await ada.getByRole('link', { name: /moth/ }).click();
  await say(ada, 'Grace', 'A real bug, then!');
  await say(
    ada,
    'Grace',
    'Shall we look at the numbers tomorrow? I have a few notes on how the engine might compute them.',
  );
  await say(grace, 'Ada', 'Gladly. Bring the notes!');
  const invitation = grace.locator('.message', { hasText: 'Shall we' });
  await invitation.hover();
  await invitation.getByRole('button', { name: 'Message actions' }).click();
  await grace.getByRole('menuitem', { name: 'React with ❤️' }).click();
  await ada.getByRole('button', { name: '❤️, 1' }).waitFor();
  await say(linus, 'Engine room', 'Is Wednesday still on?');
  await ada.getByRole('link', { name: /Is Wednesday/ }).waitFor();
  await grace.getByRole('textbox').last().pressSequentially('And ');
  await ada.getByRole('main').getByText('is typing').waitFor();
  await ada.mouse.move(0, 0);
  await ada.waitForTimeout(300);
  await ada.screenshot({ path: 'web/screenshot.png' });
} finally {
  await browser.close();
  await server.stop('SIGTERM');
  await rm(folder, { recursive: true, force: true });
}

async function enter(name: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1080, height: 620 }, colorScheme: 'light' });
  const page = await context.newPage();
  await page.goto(server.url);
  await page.getByLabel('Email').fill(`${name}@example.com`);
  await page.getByLabel('Username').fill(name);
  await page.getByLabel('Password').fill('correct horse');
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByText('No chats yet').waitFor();
  return page;
}

async function find(page: Page, name: string): Promise<void> {
  await page.getByRole('searchbox').fill(name);
  await page.getByRole('link', { name }).click();
}

/** Writes a message in a chat that is being opened. */
async function say(page: Page, chat: string, text: string): Promise<void> {
  await page.getByRole('button', { name: `About ${chat}` }).waitFor();
  await page.getByRole('textbox', { name: 'Write a message' }).fill(text);
  await page.keyboard.press('Enter');
  await page.locator('.message', { hasText: text }).locator('.ticks:not(.sending)').waitFor();
}
