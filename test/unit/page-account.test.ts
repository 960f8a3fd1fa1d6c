import { mock } from 'node:test';
import { expect } from 'chai';
import { type Client, ParleyError } from '../../src/client/index.ts';

type Account = typeof import('../../web/src/account.ts');

/** The storage of a window or of a browser. */
class FakeStorage {
  readonly items: Record<string, string> = {};

  getItem(key: string): string | null {
    return this.items[key] ?? null;
  }

  setItem(key: string, value: string): void {
    this.items[key] = value;
  }

  removeItem(key: string): void {
    delete this.items[key];
  }
}

let windows = 0;

describe('the account of a window of the page', () => {
  const globals = ['location', 'sessionStorage', 'localStorage'] as const;
  const originals = globals.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));
  const replace = (name: string, value: unknown) =>
    Object.defineProperty(globalThis, name, { configurable: true, value });

  afterEach(() => {
    for (const [index, name] of globals.entries()) {
      const original = originals[index];
      if (original) Object.defineProperty(globalThis, name, original);
      else Reflect.deleteProperty(globalThis, name);
    }
  });

  /** Opens a window at a URL, with the storage of its browser, and one of its own. */
  async function openWindow(url: string, browser = new FakeStorage()) {
    const own = new FakeStorage();
    replace('location', new URL(url));
    replace('sessionStorage', own);
    replace('localStorage', browser);
    const account: Account = await import(`../../web/src/account.ts?window=${++windows}`);
    const storeToken = (token: string) => account.connectWith({ token }).close();
    return { ...account, storeToken, own: own.items, browser: browser.items };
  }

  it('has the server in the folder of the page', async () => {
    const { home } = await openWindow('https://example.com/chat/?another#/user/7');
    expect(home.href).to.equal('https://example.com/chat/');
  });

  it('is another one for each server of a host', async () => {
    const browser = new FakeStorage();
    const root = await openWindow('https://example.com/#/user/7', browser);
    root.storeToken('of the root');
    const chat = await openWindow('https://example.com/chat/', browser);
    expect(chat.storedToken()).to.equal(null);
    chat.storeToken('of the chat');
    expect(browser.items).to.deep.equal({
      'parley.token': 'of the root',
      'parley.token /chat/': 'of the chat',
    });
  });

  it('is that of the last login in a new window, and stays while others log in', async () => {
    const first = await openWindow('https://example.com/');
    first.storeToken('a');
    expect([first.own, first.browser]).to.deep.equal([{ 'parley.token': 'a' }, { 'parley.token': 'a' }]);
    first.browser['parley.token'] = 'b';
    expect(first.storedToken()).to.equal('a');
    delete first.own['parley.token'];
    expect(first.storedToken()).to.equal('b');
  });

  it('has nothing to do with the other windows if it was opened for another user', async () => {
    const browser = new FakeStorage();
    browser.setItem('parley.token', 'of the others');
    const { storedToken, storeToken, removeToken, own } = await openWindow(
      'https://example.com/?another',
      browser,
    );
    expect(storedToken()).to.equal(null);
    storeToken('own');
    expect(storedToken()).to.equal('own');
    expect(removeToken()).to.equal(true);
    expect([own, browser.items]).to.deep.equal([{}, { 'parley.token': 'of the others' }]);
  });

  it('ends once: its token is removed, also for new windows unless another user has logged in', async () => {
    const { storeToken, removeToken, storedToken, own, browser } = await openWindow('https://example.com/');
    storeToken('a');
    expect([removeToken(), removeToken()]).to.deep.equal([true, false]);
    expect([own, browser, storedToken()]).to.deep.equal([{}, {}, null]);
    storeToken('a');
    browser['parley.token'] = 'b';
    removeToken();
    expect([own, browser]).to.deep.equal([{}, { 'parley.token': 'b' }]);
  });

  it('has ended on the server if that says so, or does not accept the token any more', async () => {
    const timeout = mock.method(AbortSignal, 'timeout').mock;
    const { endToken } = await openWindow('https://example.com/');
    const ends = (...errors: Error[]) =>
      endToken({
        call: async () => {
          for (const error of errors) throw error;
        },
      } as unknown as Client);
    expect(await ends()).to.equal(true);
    expect(await ends(new ParleyError('UNAUTHORIZED', 'The token was revoked'))).to.equal(true);
    expect(await ends(new ParleyError('CONNECTION_LOST', 'The outcome is unknown'))).to.equal(false);
    expect(await ends(new DOMException('It took too long', 'TimeoutError'))).to.equal(false);
    expect(timeout.calls[0]?.arguments).to.deep.equal([3_000]);
  });
});
