import { mock } from 'node:test';
import { expect } from 'chai';
import { Link, type Socket } from '../../src/client/Link.ts';
import { freePort } from '../harness.ts';
import { until } from '../until.ts';

/** Creates a link that listens for the events of a device, and returns the sockets that it opens. */
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
  afterEach(() => mock.reset());

  it('reconnects at once when the network returns between its attempts', async () => {
    mock.method(Math, 'random', () => 0); // the longest pauses: half a second, then one, then two
    const device = new EventTarget();
    const { link, sockets } = linkOn(device, `http://127.0.0.1:${await freePort()}`);
    await until(() => sockets.length === 1);
    device.dispatchEvent(new Event('online'));
    const startedAt = performance.now();
    for (const count of [2, 3, 4]) {
      sockets.at(-1)?.onclose?.({ code: 1006 } as never);
      await until(() => sockets.length === count);
    }
    expect(performance.now() - startedAt).to.be.below(2_500);
    link.close();
  });
});
