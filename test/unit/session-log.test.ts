import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { pino } from 'pino';
import type { Database } from '../../src/database/database.ts';
import { UnpublishedTransactions } from '../../src/database/UnpublishedTransactions.ts';
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
    const clock = { now: () => now } as ConstructorParameters<typeof SessionLog>[2];
    const log = new SessionLog(
      { query: select, execute: select } as unknown as Database,
      { checkpoint: () => () => true },
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
    let unpublished: UnpublishedTransactions;
    let isConfirmed: boolean;
    const statements = () => executed.map(({ statement }) => statement);

    beforeEach(async () => {
      [executed, isNew, orphans] = [[], false, []];
      isAway = false;
      isConfirmed = true;
      unpublished = new UnpublishedTransactions();
      const execute = async (statement: string, bind: readonly unknown[]) => {
        if (isAway) throw new Error('away');
        executed.push({ statement, bind });
        if (statement === heartbeat) return [{ isNew }];
        return statement === endSessionsOfDeadNodes ? [{ userId: 8 }] : [];
      };
      const clock = { now: () => 1_000 } as ConstructorParameters<typeof SessionLog>[2];
      sessions = new SessionLog(
        { execute, unpublished } as unknown as Database,
        { checkpoint: () => () => isConfirmed },
        clock,
        pino({ level: 'silent' }),
      );
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
      await sessions.leave();
      const [ended, removed] = executed.slice(-2);
      expect(JSON.parse(`${ended?.bind[0]}`)[0].ended_at).to.equal(new Date(1_000).toISOString());
      expect(removed).to.deep.equal({ statement: removeNode, bind: [sessions.nodeId] });
    });

    describe('notes below which transaction its changes are published', () => {
      /** Returns, for each heartbeat: whether the noted transaction is published, and whether another is noted. */
      const notes = () =>
        executed.filter(({ statement }) => statement === heartbeat).map(({ bind }) => bind.slice(1));

      it('with every heartbeat, from the second on, while nothing waits', async () => {
        for (let beats = 0; beats < 3; beats++) await sessions.beat();
        expect(notes()).to.deep.equal([
          [false, true],
          [true, true],
          [true, true],
        ]);
      });

      it('not before the transactions have ended that were under way when it noted one', async () => {
        const end = unpublished.add();
        await sessions.beat();
        unpublished.add(); // begins later
        await sessions.beat();
        expect(notes().at(-1)).to.deep.equal([false, false]);
        end();
        await turn();
        await sessions.beat();
        expect(notes().at(-1)).to.deep.equal([true, true]);
        await sessions.beat();
        expect(notes().at(-1)).to.deep.equal([false, false]);
      });

      it('not before the other nodes are certain to receive them', async () => {
        isConfirmed = false;
        for (let beats = 0; beats < 2; beats++) await sessions.beat();
        expect(notes().at(-1)).to.deep.equal([false, false]);
        isConfirmed = true;
        await sessions.beat();
        expect(notes().at(-1)).to.deep.equal([true, true]);
      });

      it('anew when the answer to a heartbeat was lost', async () => {
        await sessions.beat();
        isAway = true;
        await sessions.beat();
        isAway = false;
        await sessions.beat();
        expect(notes().slice(1)).to.deep.equal([[false, true]]);
      });

      it('anew when the others took it for dead', async () => {
        const end = unpublished.add();
        await sessions.beat();
        unpublished.add();
        isNew = true;
        await sessions.beat();
        isNew = false;
        end();
        await turn();
        await sessions.beat();
        expect(notes().at(-1)).to.deep.equal([false, false]);
      });

      it('with one heartbeat at a time', async () => {
        await Promise.all([sessions.beat(), sessions.beat()]);
        expect(notes()).to.have.lengthOf(1);
      });
    });
  });
});
