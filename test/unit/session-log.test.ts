import { expect } from 'chai';
import { pino } from 'pino';
import type { Database } from '../../src/database/database.ts';
import { type OrphanedUser, SessionLog } from '../../src/sessions/SessionLog.ts';
import {
  endSessionsOfDeadNodes,
  heartbeat,
  removeNode,
  writeSessions,
} from '../../src/sessions/sessions.sql.ts';
import { Connection } from '../../src/socket/Connection.ts';
import { claims } from '../support/claims.ts';
import { id } from '../support/ids.ts';
import { jumpAhead } from '../support/time.ts';

interface Written {
  readonly id: number;
  readonly connected_at: string;
  readonly ended_at: string | null;
}

describe('the session log', () => {
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
      const connection = new Connection(id(number), claims, '127.0.0.1', null, () => {});
      connection.sessionId = id(10 + number);
      log.opened(connection);
      return connection;
    }) as [Connection, Connection];
    expect(await log.flushed().catch((error: Error) => error.message)).to.equal('away');
    now = 500; // the clock is known more exactly
    expect([log.closed(one), log.closed(one)]).to.deep.equal([true, false]);
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

  describe('of a node among others', () => {
    let executed: { statement: string; bind: readonly unknown[] }[];
    let isNew: boolean;
    let isAway: boolean;
    let orphans: OrphanedUser[];
    let sessions: SessionLog;
    const statements = () => executed.map(({ statement }) => statement);

    beforeEach(async () => {
      [executed, isNew, orphans] = [[], false, []];
      isAway = false;
      const execute = async (statement: string, bind: readonly unknown[]) => {
        if (isAway) throw new Error('away');
        executed.push({ statement, bind });
        if (statement === heartbeat) return [{ isNew }];
        return statement === endSessionsOfDeadNodes ? [{ userId: 8 }] : [];
      };
      const clock = { now: () => 1_000 } as ConstructorParameters<typeof SessionLog>[1];
      sessions = new SessionLog({ execute } as unknown as Database, clock, pino({ level: 'silent' }));
      await sessions.start((users) => orphans.push(...users));
    });
    afterEach(() => sessions.close());

    const open = async () => {
      const connection = new Connection(id(1), claims, '127.0.0.1', null, () => {});
      connection.sessionId = id(11);
      sessions.opened(connection);
      await sessions.flushed();
    };

    it('ends the sessions of those whose heartbeats are missing, and reports their users', async () => {
      await sessions.beat();
      await sessions.beat();
      expect(orphans).to.deep.equal([{ userId: 8 }]);
    });

    it('ends no sessions of others after it was frozen itself', async () => {
      await sessions.beat();
      const endJump = jumpAhead(6_000);
      await sessions.beat();
      endJump();
      expect(statements()).not.to.include(endSessionsOfDeadNodes);
    });

    it('ends no sessions of others right after the database was away', async () => {
      await sessions.beat();
      isAway = true;
      const jumps = [jumpAhead(3_000)];
      await sessions.beat();
      isAway = false;
      jumps.push(jumpAhead(3_000));
      await sessions.beat();
      expect(statements()).not.to.include(endSessionsOfDeadNodes);
      await sessions.beat();
      expect(statements()).to.include(endSessionsOfDeadNodes);
      for (const end of jumps.reverse()) end();
    });

    it('deletes old sessions at first, and again an hour later', async () => {
      const deletions = () => statements().filter((text) => text.includes('delete from sessions')).length;
      const beat = async (times: number) => {
        for (let n = 0; n < times; n++) await sessions.beat();
        return deletions();
      };
      expect(await beat(3)).to.equal(1);
      const endJump = jumpAhead(3_600_000);
      expect(await beat(3)).to.equal(2);
      endJump();
    });

    it('records its sessions again when the others took it for dead', async () => {
      await open();
      await sessions.beat();
      const written = () => executed.filter(({ statement }) => statement === writeSessions);
      expect(written()).to.have.lengthOf(1);
      isNew = true;
      await sessions.beat();
      await sessions.flushed();
      expect(written().map(({ bind }) => JSON.parse(`${bind[0]}`)[0].ended_at)).to.deep.equal([null, null]);
    });

    it('is not among them any more, and has no open session, once it has stopped', async () => {
      await open();
      await sessions.close();
      const [ended, removed] = executed.slice(-2);
      expect(JSON.parse(`${ended?.bind[0]}`)[0].ended_at).to.equal(new Date(1_000).toISOString());
      expect(removed).to.deep.equal({ statement: removeNode, bind: [sessions.nodeId] });
    });
  });
});
