import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { Outbox } from '../../src/client/Outbox.ts';
import { until } from '../until.ts';

describe('requests that were cut off', () => {
  it('hold up no catching up once they are answered, though they are refused for a while', async () => {
    const ids: number[] = [];
    const outbox = new Outbox(
      (frame) => ids.push(JSON.parse(frame).id),
      () => {},
    );
    outbox.opened();
    const read = outbox.call('markDelivered', { receiverId: 2, seq: 1 });
    outbox.lost();
    let isSettled = false;
    void outbox.settled().then(() => {
      isSettled = true;
    });
    outbox.opened();
    await turn();
    expect(isSettled).to.equal(false);
    outbox.answer({ id: ids.at(-1), error: true, code: 'UNAVAILABLE' });
    await turn();
    expect(isSettled).to.equal(true);

    await until(() => ids.length === 3);
    outbox.answer({ id: ids.at(-1), params: {} });
    await read;
    expect(ids).to.deep.equal([1, 1, 1]);
  });
});
