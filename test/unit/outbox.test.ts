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
    const read = outbox.call('markDelivered', { receiverId: 2, seq: 1 }, () => {});
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

describe('results', () => {
  it('are taken at once, however soon the next frame comes, but those of calls that were given up', async () => {
    const taken: unknown[] = [];
    const outbox = new Outbox(
      () => {},
      (type) => taken.push(type),
    );
    outbox.opened();
    const controller = new AbortController();
    const take = (result: unknown) => taken.push(result);
    const [one, two] = [
      outbox.call('ping', {}, take),
      outbox.call('getProfile', {}, take, controller.signal),
    ];
    const refused = two.catch((error) => error);
    controller.abort('given up');
    outbox.answer({ id: 1, params: 'pong' });
    outbox.answer({ id: 2, params: 'a profile' });
    expect(taken).to.deep.equal(['ping', 'pong', 'getProfile']);
    expect(await one).to.equal(2);
    expect(await refused).to.equal('given up');
  });

  it('that cannot be taken reject the call, and nothing else', async () => {
    const outbox = new Outbox(
      () => {},
      () => {},
    );
    outbox.opened();
    const call = outbox.call('ping', {}, () => {
      throw new Error('of no use');
    });
    const refused = call.catch(({ message }) => message);
    outbox.answer({ id: 1, params: {} });
    expect(await refused).to.equal('of no use');
  });
});
