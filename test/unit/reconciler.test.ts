import { expect } from 'chai';
import { pino } from 'pino';
import type { Database } from '../../src/database/database.ts';
import type { UserId } from '../../src/ids.ts';
import type { Connections } from '../../src/socket/Connections.ts';
import { Reconciler } from '../../src/socket/Reconciler.ts';
import { chatsOfUsers } from '../../src/socket/reconcile.sql.ts';
import type { UserConnections } from '../../src/socket/slices.ts';
import { until } from '../support/until.ts';

const USER = 7 as UserId;

describe('the time since which the connections of a node compare chats with the database', () => {
  let reconciler: Reconciler;
  /** The times since which chats were asked for. */
  let asked: unknown[];
  /** The clock of the database: how often it was read. */
  let reads: number;
  let failures: number;

  beforeEach(() => {
    [asked, reads, failures] = [[], 0, 0];
    const query = async (statement: unknown, bind: readonly unknown[]) => {
      if (statement === chatsOfUsers) {
        asked.push(bind[1]);
        if (failures-- > 0) throw new Error('the database is away');
      }
      return String(statement).includes('clock_timestamp') ? [{ at: `read ${++reads}` }] : [];
    };
    const connection = {
      id: 1,
      session: { userId: USER, issuedAt: 0 },
      isFollowing: true,
      groups: new Map(),
    };
    const user = [USER, [connection]] as unknown as UserConnections;
    const connections = { following: () => [user].values(), ofUser: () => user[1] };
    reconciler = new Reconciler(
      { query } as unknown as Database,
      undefined as never,
      connections as unknown as Connections,
      pino({ level: 'silent' }),
    );
  });
  afterEach(() => reconciler.close());

  async function round(): Promise<void> {
    const before = reads;
    reconciler.all();
    await until(async () => reads > before && asked.length >= reads);
  }

  it('is the beginning of the round before, and unlimited in the first one', async () => {
    for (let rounds = 0; rounds < 3; rounds++) await round();
    expect(asked).to.deep.equal([null, 'read 1', 'read 2']);
  });

  it('stays if a round has failed, which is tried again', async () => {
    await round();
    failures = 1;
    await round();
    await until(async () => asked.length === 3);
    expect(asked).to.deep.equal([null, 'read 1', 'read 1']);
    await round();
    expect(asked.at(-1)).to.equal('read 3');
  });

  it('is that of the last round for a user who is compared alone, and stays for the next one', async () => {
    await round();
    reconciler.user(USER);
    await until(async () => asked.length === 2);
    await round();
    expect(asked).to.deep.equal([null, 'read 1', 'read 1']);
  });
});
