import { expect } from 'chai';
import { pino } from 'pino';
import type { NodeMessage } from '../../src/bus/bus.ts';
import { watchOutbox } from '../../src/bus/outbox.ts';
import type { Topic } from '../../src/bus/topics.ts';
import type { Database } from '../../src/database/database.ts';
import { jumpAhead } from '../support/time.ts';

describe('a node that reads the outbox', () => {
  /** Rows of the table; undefined while the database is away. */
  let rows: { id: number; topic: Topic; message: NodeMessage }[] | undefined;
  let received: string[];
  let missed: number;
  let polled: () => void;
  let outbox: { close(): void };

  beforeEach(async () => {
    [rows, received, missed, polled] = [[row(1)], [], 0, () => {}];
    const query = async () => {
      setImmediate(polled);
      if (!rows) throw new Error('away');
      return rows;
    };
    outbox = watchOutbox(
      { query } as unknown as Database,
      (_, message) => {
        if ('frame' in message) received.push(message.frame);
        if (received.at(-1) === 'fault') throw new Error('a fault');
      },
      () => missed++,
      pino({ level: 'silent' }),
      1,
    );
    await nextPoll();
  });
  afterEach(() => outbox.close());

  const row = (id: number, frame = `${id}`) => ({ id, topic: 'user:1' as const, message: { frame } });
  /** Resolves when a read that begins after the call has ended. */
  const nextPoll = async () => {
    for (let polls = 0; polls < 2; polls++)
      await new Promise<void>((resolve) => {
        polled = resolve;
      });
  };

  it('receives each message once, and none from before', async () => {
    rows = [row(1), row(3)];
    await nextPoll();
    rows = [row(1), row(2), row(3)];
    await nextPoll();
    expect([received, missed]).to.deep.equal([['3', '2'], 0]);
  });

  it('goes on when the database was away for a moment', async () => {
    rows = undefined;
    await nextPoll();
    rows = [row(2)];
    await nextPoll();
    expect([received, missed]).to.deep.equal([['2'], 0]);
  });

  it('reports that it may have missed some when the database was away for longer than they are kept', async () => {
    rows = undefined;
    await nextPoll();
    const endJump = jumpAhead(60_000);
    rows = [];
    await nextPoll();
    endJump();
    expect(missed).to.equal(1);
  });

  it('receives those behind one with a fault', async () => {
    rows = [row(2, 'fault'), row(3)];
    await nextPoll();
    expect(received).to.deep.equal(['fault', '3']);
  });

  it('reads once at a time, however long the database takes', async () => {
    let reads = 0;
    const query = () => {
      reads++;
      return new Promise(() => {});
    };
    const slow = watchOutbox(
      { query } as unknown as Database,
      () => {},
      () => {},
      pino({ level: 'silent' }),
      1,
    );
    for (let polls = 0; polls < 3; polls++) await nextPoll(); // of the other one, with the same interval
    slow.close();
    expect(reads).to.equal(1);
  });
});
