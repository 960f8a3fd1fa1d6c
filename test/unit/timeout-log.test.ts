import { expect } from 'chai';
import { TimeoutLog } from '../../src/observability/TimeoutLog.ts';
import { id } from '../support/ids.ts';

describe('the log of timeouts', () => {
  it('has a line for each command and user, and the next one a minute later with the number since', () => {
    let now = 0;
    const lines: object[] = [];
    const warn = (line: object, text: string) => lines.push({ ...line, text });
    const log = new TimeoutLog({ warn } as never, () => 1_000_000 + now);
    const add = (type: string, userId: number) =>
      log.add({ type, userId: id(userId), requestId: `1.${now}`, ms: 5000 });
    for (now = 0; now < 60_000; now += 20_000) add('searchMessages', 7);
    add('searchMessages', 8);
    add('sync', 7);
    now = 60_000;
    add('searchMessages', 7);
    const line = {
      type: 'searchMessages',
      userId: 7,
      requestId: '1.0',
      ms: 5000,
      unlogged: 0,
      text: 'statement timed out',
    };
    expect(lines).to.deep.equal([
      line,
      { ...line, userId: 8, requestId: '1.60000' },
      { ...line, type: 'sync', requestId: '1.60000' },
      { ...line, requestId: '1.60000', unlogged: 2 },
    ]);
  });
});
