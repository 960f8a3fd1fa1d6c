import { expect } from 'chai';
import { http, newGroup, newUsers } from '../support/harness.ts';

describe('a consumer that stops reading', () => {
  it('is dropped at its buffer limit, without an effect on its group', async () => {
    const [ada, bob, slow] = await newUsers(3);
    const [a, b, stalled] = [await ada.connect(), await bob.connect(), await slow.connect()];
    const groupId = await newGroup(a, bob, slow);
    await b.rest();
    stalled.socket.pause();

    const content = '䷀'.repeat(4000); // 12 KB: a thousand exceed the 4 MiB limit and the kernel's buffers
    for (let sent = 0; sent < 1_000; sent += 50) {
      const ids = Array.from({ length: 50 }, () => a.send('messageInGroup', { groupId, content }));
      for (const id of ids) {
        expect((await a.reply(id)).success).to.equal(true);
        expect((await b.push('messageInGroup')).params.message).to.equal(content);
      }
    }

    stalled.socket.resume();
    await stalled.closed;
    const { body } = await http('GET', '/metrics');
    expect(body).to.match(/^parley_slow_consumers_dropped_total 1$/m);
  });
});
