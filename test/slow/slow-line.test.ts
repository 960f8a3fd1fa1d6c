import { expect } from 'chai';
import { connectAs, newClients, server } from '../support/harness.ts';
import { newLargest } from '../support/largest.ts';
import { startRelay } from '../support/relay.ts';
import { pause } from '../support/until.ts';

/** Bytes per second. */
const SLOW = 800_000;

describe('a client on a slow line', function () {
  this.timeout(240_000);

  it('synchronises the largest messages while others write, without a disconnection', async () => {
    const { id: receiverId, token } = await newLargest();
    const relay = await startRelay(server.url, { rate: SLOW });
    const [ada] = await newClients(1);
    try {
      const client = await connectAs(token, relay.url);
      let found = 0;
      for (let cursor: string | undefined; found < 100; ) {
        const id = client.send('sync', { ...(cursor && { cursor }), limit: 1000 });
        const page = client.next((frame) => frame.id === id, 'a page', 30_000);
        let isWaiting = true;
        page.then(
          () => (isWaiting = false),
          () => (isWaiting = false),
        );
        while (isWaiting) {
          await ada.client.done('privateMessage', { receiverId, content: 'x'.repeat(4000) });
          await pause(20);
        }
        const { params } = await page;
        found += params.data.filter(({ kind }: { kind: string }) => kind === 'message').length;
        cursor = params.nextCursor;
      }
      await client.done('ping');
    } finally {
      await relay.cut();
    }
  });

  it('receives all pages that it requested at once, and pushes between them', async () => {
    const { id: receiverId, groupId, token } = await newLargest();
    const relay = await startRelay(server.url, { rate: 4 * SLOW });
    const [ada] = await newClients(1);
    try {
      const client = await connectAs(token, relay.url);
      // 23 MB: far more than the output buffer of a client may hold
      const ids = Array.from({ length: 6 }, () =>
        client.send('getlatestMessageGroup', { groupId, limit: 100 }),
      );
      for (const id of ids) {
        await ada.client.done('privateMessage', { receiverId, content: 'x'.repeat(4000) });
        const { params } = await client.next((frame) => frame.id === id, 'a page', 30_000);
        expect(params.data).to.have.length(100);
      }
      for (const _ of ids) await client.push('privateMessage');
    } finally {
      await relay.cut();
    }
  });
});
