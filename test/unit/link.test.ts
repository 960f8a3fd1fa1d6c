import { mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { Link, type Socket } from '../../src/client/Link.ts';
import { freePort } from '../harness.ts';

/** Makes a link that listens for the events of a device, and returns the sockets it opens. */
function linkOn(device: EventTarget, url: string): { link: Link; sockets: Socket[] } {
  const { addEventListener, removeEventListener } = globalThis;
  const sockets: Socket[] = [];
  const open = () => {
    const socket = { onopen: null, onmessage: null, onclose: null, onerror: null, send() {}, close() {} };
    sockets.push(socket);
    return socket;
  };
  globalThis.addEventListener = device.addEventListener.bind(device);
  try {
    const listener = { opened() {}, frame() {}, lost() {}, gaveUp() {} };
    return { link: new Link({ url, token: 'token', open }, listener), sockets };
  } finally {
    Object.assign(globalThis, { addEventListener, removeEventListener });
  }
}

describe('the link of the typed client', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.reset());

  it('tries again at once when the network comes back while it tries in vain', async () => {
    const device = new EventTarget();
    const { link, sockets } = linkOn(device, `http://127.0.0.1:${await freePort()}`);
    const opened = async (milliseconds: number) => {
      const count = sockets.length;
      for (let left = milliseconds; left > 0 && sockets.length === count; left--) {
        mock.timers.tick(1);
        for (let turns = 0; turns < 200 && sockets.length === count; turns++) await turn();
      }
      return sockets.length > count;
    };
    const fail = () => sockets.at(-1)?.onclose?.({ code: 1006 } as never);
    mock.method(Math, 'random', () => 0.99);
    await turn();
    expect(sockets).to.have.length(1);
    device.dispatchEvent(new Event('online'));
    for (const delay of [31, 62, 124]) {
      fail();
      expect(await opened(delay + 5)).to.equal(true);
    }
    link.close();
  });
});
