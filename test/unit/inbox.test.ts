import { expect } from 'chai';
import { ParleyError } from '../../src/client/errors.ts';
import { Inbox } from '../../src/client/Inbox.ts';
import type { Ask } from '../../src/client/Outbox.ts';

describe('an inbox', () => {
  it('catches up from its first cursor where the connection is lost right behind it', async () => {
    const listener = { push() {}, own() {}, change() {}, reset() {}, broken() {} };
    const inbox = new Inbox(listener);
    const asked: object[] = [];
    const ask: Ask = async (_type, params, take) => {
      asked.push(params);
      return take({ data: [], more: false, nextCursor: 'first', time: '2026-01-01T00:00:00Z' } as never);
    };
    const begun = inbox.begin(ask);
    inbox.lost(); // before anybody goes on who awaited the reply
    await begun;
    await inbox.begin(ask);
    await inbox.catchUp(1, ask);
    inbox.lost();
    expect(asked).to.deep.equal([{ fromNow: true }, { cursor: 'first', limit: 500 }]);
  });

  it('asks for less where the server took too long to read what was missed', async () => {
    const listener = { push() {}, own() {}, change() {}, reset() {}, broken() {} };
    const inbox = new Inbox(listener);
    const limits: unknown[] = [];
    const ask: Ask = async (_type, params, take) => {
      const { limit } = params as { limit?: number };
      limits.push(limit);
      if ((limit ?? 0) > 5) throw new ParleyError('TIMEOUT', '');
      return take({ data: [], more: false, nextCursor: 'a', time: '2026-01-01T00:00:00Z' } as never);
    };
    await inbox.begin(ask);
    inbox.lost();
    for (const expected of ['TIMEOUT', 'TIMEOUT', undefined])
      expect(await inbox.catchUp(1, ask).catch(({ code }) => code)).to.equal(expected);
    inbox.lost();
    expect(limits).to.deep.equal([undefined, 500, 50, 5]);
  });
});
