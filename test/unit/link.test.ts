import { mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { Link } from '../../src/client/Link.ts';
import type { ClientOptions } from '../../src/client/options.ts';
import { FakeSocket } from './client-sockets.ts';

/** A device that counts its listeners. */
class Device extends EventTarget {
  listeners = 0;

  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    this.listeners++;
    super.addEventListener(...args);
  }

  override removeEventListener(...args: Parameters<EventTarget['removeEventListener']>): void {
    this.listeners--;
    super.removeEventListener(...args);
  }
}

/** Creates a link on a device, and keeps its sockets and its reports. */
async function linkOf(options: Partial<ClientOptions> = {}) {
  const device = new Device();
  globalThis.addEventListener = device.addEventListener.bind(device);
  globalThis.removeEventListener = device.removeEventListener.bind(device);
  const sockets: FakeSocket[] = [];
  const open = () => {
    const socket = new FakeSocket();
    sockets.push(socket);
    return socket;
  };
  const events: string[] = [];
  const link = new Link(
    { url: 'http://localhost', token: 'token', open, ...options },
    {
      opened: () => events.push('opened'),
      frame: (text) => events.push(text),
      lost: () => events.push('lost'),
      failed: ({ message }) => events.push(message),
      gaveUp: ({ code }) => events.push(code),
    },
  );
  const last = () => sockets.at(-1) as FakeSocket;
  await turn();
  return { link, device, sockets, last, events };
}

/** Keeps the timers that are running. */
function countTimers(): Set<unknown> {
  const { setTimeout: start, clearTimeout: stop } = globalThis;
  const running = new Set<unknown>();
  mock.method(globalThis, 'setTimeout', (run: () => void, milliseconds: number) => {
    const timer = start(() => {
      running.delete(timer);
      run();
    }, milliseconds);
    running.add(timer);
    return timer;
  });
  mock.method(globalThis, 'clearTimeout', (timer: NodeJS.Timeout) => {
    running.delete(timer);
    stop(timer);
  });
  return running;
}

/** Runs the pending callbacks, advances the clock, and runs the callbacks of that. */
async function pass(milliseconds: number): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await turn();
  mock.timers.tick(milliseconds);
  for (let turns = 0; turns < 5; turns++) await turn();
}

describe('the link of the typed client', () => {
  const { addEventListener, removeEventListener } = globalThis;
  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    mock.method(Math, 'random', () => 0); // the longest delays: half a second, then one, then two
  });
  afterEach(() => {
    Object.assign(globalThis, { addEventListener, removeEventListener });
  });

  it('reconnects after growing delays', async () => {
    const { link, sockets, last } = await linkOf();
    for (const [index, delay] of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000].entries()) {
      last().open();
      last().end();
      await pass(delay - 1);
      expect(sockets).to.have.length(index + 1);
      await pass(1);
      expect(sockets).to.have.length(index + 2);
    }
    link.close();
  });

  it('starts the delays over after a connection that worked', async () => {
    const { link, sockets, last } = await linkOf();
    for (const delay of [500, 1_000, 2_000]) {
      last().open();
      last().end();
      await pass(delay);
    }
    last().open();
    link.proven();
    last().end();
    await pass(500);
    expect(sockets).to.have.length(5);
    link.close();
  });

  it('reconnects at once when the network returns, and after shorter delays from then on', async () => {
    const { link, device, sockets, last } = await linkOf();
    last().open();
    last().end();
    await pass(0);
    device.dispatchEvent(new Event('online'));
    await pass(0);
    expect(sockets).to.have.length(2);
    for (const [index, delay] of [32, 63, 125, 250, 500].entries()) {
      last().open();
      last().end();
      await pass(delay);
      expect(sockets).to.have.length(index + 3);
    }
    link.close();
  });

  it('waits for the Retry-After of a refused upgrade, and longer by its own delay', async () => {
    const headers = { 'retry-after': '7' };
    mock.method(globalThis, 'fetch', async () =>
      Response.json({ code: 'RATE_LIMITED', message: '' }, { status: 429, headers }),
    );
    const { link, sockets, last } = await linkOf();
    last().end();
    await pass(7_499);
    expect(sockets).to.have.length(1);
    await pass(1);
    expect(sockets).to.have.length(2);
    link.close();
  });

  it('gives up when the server refuses the upgrade because of the token', async () => {
    mock.method(globalThis, 'fetch', async () =>
      Response.json({ code: 'UNAUTHORIZED', message: '' }, { status: 401 }),
    );
    const { sockets, last, events, device } = await linkOf();
    last().end();
    await pass(500);
    expect(events).to.deep.equal(['UNAUTHORIZED']);
    await pass(60_000);
    expect([sockets.length, device.listeners]).to.deep.equal([1, 0]);
  });

  it('gives up when a proxy refuses the upgrade with 401 and a page of its own', async () => {
    mock.method(globalThis, 'fetch', async () => new Response('<h1>Log in</h1>', { status: 401 }));
    const { last, events } = await linkOf();
    last().end();
    await pass(500);
    expect(events).to.deep.equal(['UNAUTHORIZED']);
  });

  it('ends a socket that does not open within ten seconds', async () => {
    mock.method(globalThis, 'fetch', async () => Response.json({}));
    const { link, sockets, last, events } = await linkOf();
    await pass(9_999);
    expect(last().isClosed).to.equal(false);
    await pass(1);
    expect(last().isClosed).to.equal(true);
    await pass(500);
    expect([sockets.length, events]).to.deep.equal([2, []]);
    link.close();
  });

  it('sends a ping after an interval of silence, and ends the connection after two', async () => {
    const { link, last, events } = await linkOf({ heartbeat: 1_000 });
    last().open();
    await pass(1_000);
    expect(last().types).to.deep.equal(['ping']);
    last().receive({ type: 'ping' });
    await pass(1_000);
    expect(last().types).to.deep.equal(['ping']);
    await pass(1_000);
    expect([last().types, events.includes('lost')]).to.deep.equal([['ping', 'ping'], false]);
    await pass(1_000);
    expect([last().isClosed, events.at(-1)]).to.deep.equal([true, 'lost']);
    link.close();
  });

  it('sends a ping after fifteen seconds by default', async () => {
    const { link, last } = await linkOf();
    last().open();
    await pass(14_999);
    expect(last().types).to.deep.equal([]);
    await pass(1);
    expect(last().types).to.deep.equal(['ping']);
    link.close();
  });

  it('tests the connection of a device that woke up, and ends it after five seconds without an answer', async () => {
    const { link, device, last, events } = await linkOf();
    last().open();
    device.dispatchEvent(new Event('visibilitychange'));
    expect(last().types).to.deep.equal(['ping']);
    await pass(4_999);
    last().receive({ type: 'ping' });
    await pass(5_000);
    expect(events).to.not.include('lost');
    device.dispatchEvent(new Event('visibilitychange'));
    await pass(5_000);
    expect(events.at(-1)).to.equal('lost');
    link.close();
  });

  it('tests the connection once while the device wakes again and again', async () => {
    const { link, device, last, events } = await linkOf();
    last().open();
    for (let wakes = 0; wakes < 2; wakes++) {
      device.dispatchEvent(new Event('visibilitychange'));
      await pass(2_500);
    }
    expect(events.at(-1)).to.equal('lost');
    link.close();
  });

  it('keeps its delays when the device wakes while the connection is open', async () => {
    const { link, device, sockets, last } = await linkOf();
    last().open();
    link.proven();
    device.dispatchEvent(new Event('visibilitychange'));
    last().receive({ type: 'ping' });
    last().end();
    await pass(499);
    expect(sockets).to.have.length(1);
    await pass(1);
    expect(sockets).to.have.length(2);
    link.close();
  });

  it('receives nothing of a connection that it has ended', async () => {
    const { link, last, events } = await linkOf();
    last().open();
    link.restart();
    last().receive({ type: 'late' });
    last().end();
    expect(events).to.deep.equal(['opened', 'lost']);
    link.close();
  });

  it('ends with close: no listener, no timer and no socket remain', async () => {
    const timers = countTimers();
    const fetched = mock.method(globalThis, 'fetch', async () => Response.json({})).mock;
    for (const phase of ['opening', 'open', 'pausing', 'tested'] as const) {
      const { link, device, sockets, last } = await linkOf({ heartbeat: 1_000 });
      if (phase !== 'opening') last().open();
      if (phase === 'pausing') last().end();
      if (phase === 'tested') device.dispatchEvent(new Event('online'));
      await pass(0);
      expect(device.listeners).to.equal(3);
      expect(timers.size, phase).to.be.at.least(1);
      link.close();
      expect(timers.size, phase).to.equal(0);
      const { length } = last().sent;
      device.dispatchEvent(new Event('online'));
      await pass(120_000);
      expect(device.listeners, phase).to.equal(0);
      expect([sockets.length, last().sent.length], phase).to.deep.equal([1, length]);
      if (phase !== 'pausing') expect(last().isClosed, phase).to.equal(true);
    }
    expect(fetched.callCount()).to.equal(0);
  });

  it('opens no socket if it was closed while it waited for a token', async () => {
    let give = (_token: string) => {};
    const token = () =>
      new Promise<string>((resolve) => {
        give = resolve;
      });
    const { link, sockets } = await linkOf({ token });
    link.close();
    give('token');
    await pass(60_000);
    expect(sockets).to.have.length(0);
  });
});
