import { expect } from 'chai';
import { pino } from 'pino';
import type { Database } from '../../src/database/database.ts';
import type { UserId } from '../../src/ids.ts';
import { SessionLog } from '../../src/sessions/SessionLog.ts';
import { Connection } from '../../src/socket/Connection.ts';
import { id } from '../support/ids.ts';

interface Written {
  readonly id: number;
  readonly connected_at: string;
  readonly ended_at: string | null;
}

describe('the session log', () => {
  const session = {
    userId: id<UserId>(7),
    tokenVersion: 1,
    tokenId: 'token',
    since: 0,
    issuedAt: 0,
    expiresAt: 0,
  };

  it('writes the current state of a session, once, when the database accepts it late', async () => {
    const written: Written[][] = [];
    let isAway = true;
    const select = async (_: string, [entries]: [string]) => {
      if (isAway) throw new Error('away');
      if (entries.startsWith('[')) written.push(JSON.parse(entries));
      return [];
    };
    let now = 1_000;
    const clock = { now: () => now } as ConstructorParameters<typeof SessionLog>[1];
    const log = new SessionLog(
      { query: select, execute: select } as unknown as Database,
      clock,
      pino({ level: 'silent' }),
    );
    const [one, other] = [1, 2].map((number) => {
      const connection = new Connection(id(number), session, '127.0.0.1', null, () => {});
      connection.sessionId = id(10 + number);
      log.opened(connection);
      return connection;
    }) as [Connection, Connection];
    expect(await log.flushed().catch((error: Error) => error.message)).to.equal('away');
    now = 500; // the clock is known more exactly
    log.closed(one);
    log.closed(one);
    isAway = false;
    await log.flushed();
    now = 2_000;
    await log.close();
    log.closed(other);
    const at = (milliseconds: number) => new Date(milliseconds).toISOString();
    expect(
      written.map((entries) => entries.map(({ id, connected_at, ended_at }) => [id, connected_at, ended_at])),
    ).to.deep.equal([
      [
        [11, at(1_000), at(1_000)],
        [12, at(1_000), null],
      ],
      [[12, at(1_000), at(2_000)]],
    ]);
  });
});
