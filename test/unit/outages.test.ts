import { expect } from 'chai';
import { OutageLog } from '../../src/database/outages.ts';

describe('the log of outages of the database', () => {
  let now: number;
  let lines: unknown[];
  let outages: OutageLog;

  beforeEach(() => {
    [now, lines] = [0, []];
    const write = (fields: object, text: string) => lines.push([text, ...Object.values(fields)]);
    outages = new OutageLog({ warn: write, info: write } as never, () => now);
  });
  const failed = (start = now) => outages.failed(new Error('reset'), start);
  const succeeded = (at: number) => {
    now = at;
    outages.succeeded();
  };
  const DISCONNECTED = ['disconnected from the database', 'reset'];

  it('has no line before the first answer, and none after the close', () => {
    failed();
    succeeded(10);
    expect(lines).to.deep.equal([]);
    outages.close();
    failed();
    succeeded(20);
    expect(lines).to.deep.equal([]);
  });

  it('has one line at the beginning, and one at the end with the time from the first failure to the first success', () => {
    succeeded(0);
    failed(1_000);
    now = 3_000;
    failed(2_000);
    for (const at of [3_500, 4_499]) succeeded(at);
    expect(lines).to.deep.equal([DISCONNECTED]);
    succeeded(4_500);
    expect(lines.slice(1)).to.deep.equal([['reconnected to the database', 2.5]]);
    succeeded(9_000);
    expect(lines).to.have.length(2);
  });

  it('counts the database as back a second after the last failure, and reports the next outage again', () => {
    succeeded(0);
    failed(0);
    succeeded(500);
    failed(600);
    for (const at of [900, 1_600]) succeeded(at);
    expect(lines).to.have.length(1);
    succeeded(1_900);
    expect(lines[1]).to.deep.equal(['reconnected to the database', 0.9]);
    failed(2_000);
    expect(lines[2]).to.deep.equal(DISCONNECTED);
  });
});
