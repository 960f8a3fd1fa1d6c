import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { server } from '../support/harness.ts';
import { eventually, newWindow, withBrowser } from './browser.ts';

const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
const PAGES = ['', 'commands', 'commands/sync', 'commands/updateGroup', 'types', 'protocol', 'errors'];
const MAX_ELEMENTS = 5000;
const MAX_MILLISECONDS = 1000;

async function open(path: string, options = {}): Promise<Page> {
  const page = await newWindow(options);
  await page.goto(`${server.url}/docs/${path}`);
  return page;
}

const titlesIn = (page: Page): Promise<string[]> => page.locator('.found a strong').allInnerTexts();
const search = (page: Page) => page.getByRole('searchbox', { name: 'Search the reference' });

describe('the reference in a browser', function () {
  this.timeout(120_000);
  withBrowser();

  /** Scripts with `defer` have run when the DOM is complete. Of several loads the fastest counts: the rest is noise. */
  it('is interactive within a second on a CPU at a quarter of its speed', async () => {
    const page = await newWindow();
    const session = await page.context().newCDPSession(page);
    await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
    for (const path of PAGES) {
      const times: number[] = [];
      while (times.length < 10 && !times.some((time) => time < MAX_MILLISECONDS)) {
        await page.goto(`${server.url}/docs/${path}`);
        expect(await search(page).isVisible()).to.equal(true);
        const [entry] = await page.evaluate(() =>
          performance.getEntriesByType('navigation').map((each) => each.toJSON()),
        );
        times.push(entry.domContentLoadedEventEnd);
      }
      expect(Math.min(...times), path).to.be.below(MAX_MILLISECONDS);
      const elements = await page.evaluate(() => document.querySelectorAll('*').length);
      expect(elements, path).to.be.below(MAX_ELEMENTS);
    }
  });

  it('finds commands, params, error codes and headings, and leads there by the keyboard', async () => {
    const page = await open('commands/ping');
    for (const [query, title] of [
      ['getMessages', 'getMessages'],
      ['afterSeq', 'afterSeq'],
      ['not_a_member', 'NOT_A_MEMBER'],
      ['binary oversize', 'Binary and oversize frames'],
    ] as const) {
      await search(page).fill(query);
      await eventually(async () => (await titlesIn(page))[0], title);
    }
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/docs/protocol#binary-and-oversize-frames');
    await page.getByRole('heading', { name: 'Binary and oversize frames' }).waitFor();

    await page.keyboard.press('/');
    await page.keyboard.type('no such word anywhere');
    await page.getByText('0 results').waitFor();
    await page.keyboard.press('Escape');
    expect(await page.getByText('0 results').isVisible()).to.equal(false);
    expect(await search(page).evaluate((field) => field === document.activeElement)).to.equal(true);
  });

  it('says that the index could not be read, and reads it with the next search', async () => {
    const page = await open('');
    await page.route('**/search.json', (route) => route.fulfill({ status: 404, body: '' }));
    await search(page).fill('sync');
    await page.getByText('the index could not be read').waitFor();
    await page.unroute('**/search.json');
    await search(page).fill('sync ');
    await eventually(async () => (await titlesIn(page))[0], 'sync');
  });

  it('fits a phone: the page never scrolls sideways', async () => {
    const page = await newWindow(PHONE);
    for (const path of PAGES) {
      await page.goto(`${server.url}/docs/${path}`);
      const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      expect(widths, path).to.deep.equal([360, 360]);
    }
    await search(page).fill('seq');
    await page.locator('.found a').first().waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).to.equal(360);
  });

  it('can be read without scripts', async () => {
    const page = await open('commands/getMessages', { javaScriptEnabled: false });
    expect(await page.getByRole('searchbox').isVisible()).to.equal(false);
    await page.getByRole('link', { name: 'Protocol', exact: true }).click();
    await page.getByRole('heading', { name: 'After a reconnect' }).waitFor();
  });
});
