import { mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import type { Client } from '../../src/client/Client.ts';
import { ChatList } from '../../src/client/view/ChatList.ts';

describe('the list of chats', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  it('is read again after pauses that grow, while a chat that is not in it is touched again and again', async () => {
    let reads = 0;
    let isTouched = true;
    const client = {
      self: { userId: 1 },
      online: async () => {},
      async call() {
        reads++;
        await turn();
        if (isTouched) list.update('user:2', {});
        return { data: [] };
      },
    } as unknown as Client;
    const list = new ChatList(client);
    const settled = async () => {
      for (let turns = 0; turns < 10; turns++) await turn();
    };
    await settled();
    expect(reads).to.equal(1);
    for (const pause of [500, 1_000, 2_000, 4_000, 8_000, 8_000]) {
      const before = reads;
      list.update('user:2', {});
      mock.timers.tick(pause - 1);
      await settled();
      expect(reads).to.equal(before);
      mock.timers.tick(1);
      await settled();
      expect(reads).to.equal(before + 1);
    }
    isTouched = false;
    mock.timers.tick(8_000);
    await settled();
    expect(reads).to.equal(8);
    mock.timers.tick(60_000);
    await settled();
    expect(reads).to.equal(8); // it is gone
  });
});
