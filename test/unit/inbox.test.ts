import { expect } from 'chai';
import { Inbox } from '../../src/client/Inbox.ts';
import type { Ask } from '../../src/client/Outbox.ts';

describe('an inbox', () => {
  it('catches up from its first cursor when the connection is lost right after it', async () => {
    const listener = { push() {}, own() {}, change() {}, reset() {}, broken() {} };
    const inbox = new Inbox(listener);
    const requests: object[] = [];
    const ask: Ask = async (_type, params, take) => {
      requests.push(params);
      return take({ data: [], more: false, nextCursor: 'first', time: '2026-01-01T00:00:00Z' } as never);
    };
    const started = inbox.begin(ask);
    inbox.lost(); // before the code that awaits the reply continues
    await started;
    await inbox.begin(ask);
    await inbox.catchUp(1, ask);
    inbox.lost();
    expect(requests).to.deep.equal([{ fromNow: true }, { cursor: 'first', limit: 500 }]);
  });
});
