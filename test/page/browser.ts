import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { findChromium } from '../support/chromium.ts';
import { server, type User } from '../support/harness.ts';
import { until } from '../support/until.ts';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let browser: Browser;
/** Problems in any page: errors of scripts, and violations of the content security policy. */
const problems: string[] = [];

/** Starts a browser for the tests of a suite, or skips them with a message. */
export function withBrowser(): void {
  before(async function () {
    this.timeout(60_000);
    const executablePath = findChromium();
    if (!executablePath) {
      console.log('      skipped: there is no Chromium here (install it, or set CHROMIUM)');
      this.skip();
    }
    browser = await chromium.launch({ executablePath, args: FLAGS });
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    expect(problems.splice(0)).to.deep.equal([]);
  });
  after(() => browser?.close());
}

/** Opens a window in a context of its own, as in the browser of another user. */
export async function newWindow(options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1180, height: 760 }, ...options });
  context.setDefaultTimeout(30_000); // passwords are hashed on idle cores: with a busy browser, that takes a while
  const page = await context.newPage();
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    // The browser itself logs connections that fail; a proxy answers 502 while its server is away.
    if (message.type() === 'error' && !/ERR_|WebSocket|status of (40\d|502)/.test(message.text()))
      problems.push(message.text());
  });
  page.on('request', (request) => {
    if (!/^(http:\/\/127\.0\.0\.1:|data:)/.test(request.url())) problems.push(`requested ${request.url()}`);
  });
  return page;
}

/** A user with a window at a path of the page, logged in as after an earlier visit. */
export async function windowOf(
  user: User,
  path = '',
  { url = server.url, ...options }: BrowserContextOptions & { url?: string } = {},
): Promise<Page> {
  const page = await newWindow(options);
  await enter(page, user, path, url);
  return page;
}

/** Opens a path of the page in a window, logged in as after an earlier visit. */
export async function enter(page: Page, user: User, path = '', url = server.url): Promise<void> {
  await page.addInitScript((token) => localStorage.setItem('parley.token', token), user.token);
  await page.goto(new URL(path, url).href);
  await page.getByRole('heading', { name: 'Parley', level: 1 }).waitFor();
}

/** Resolves once a page shows the expected state; fails with the state that it shows. */
export async function eventually<Value>(read: () => Promise<Value>, expected: Value): Promise<void> {
  let value: Value | undefined;
  const isExpected = async () => {
    value = await read();
    return isDeepStrictEqual(value, expected);
  };
  await until(isExpected, 15_000).catch(() => {});
  expect(value).to.deep.equal(expected);
}

/** Returns the types of the commands that a page sends from now on; it has to be called before the page connects. */
export function sentTypesOf(page: Page): string[] {
  const types: string[] = [];
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => types.push(JSON.parse(String(payload)).type)),
  );
  return types;
}

/** Writes into the open chat. */
export async function sendMessage(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Write a message' }).fill(text);
  await page.keyboard.press('Enter');
}

/** Returns a message of the open chat. */
export const messageIn = (page: Page, text: string) =>
  page.locator('.message').filter({ has: page.locator('.text', { hasText: text }) });

/** Returns the texts of the open chat, in order. */
export const textsIn = (page: Page): Promise<string[]> => page.locator('.message .text').allInnerTexts();

/** Opens the menu of a message. */
export async function openMenu(page: Page, text: string): Promise<void> {
  await messageIn(page, text).hover();
  await messageIn(page, text).getByRole('button', { name: 'Message actions' }).click();
  await page.getByRole('menu').waitFor();
}

/** Opens the menu of a message and chooses an item. */
export async function choose(page: Page, text: string, item: string): Promise<void> {
  await openMenu(page, text);
  await page.getByRole('menuitem', { name: item }).click();
}
