import { expect } from 'chai';
import { pino } from 'pino';
import { KeyedQueue } from '../../src/bus/KeyedQueue.ts';
import type { Database } from '../../src/database/database.ts';
import { NotConnectedError } from '../../src/database/failures.ts';
import type { ConnectionId, UserId } from '../../src/ids.ts';
import { Presence } from '../../src/presence/Presence.ts';
import { statesOfUsers, unblockedUsers } from '../../src/presence/presence.sql.ts';
import { presenceKey } from '../../src/presence/state.ts';
import type { Viewer, Viewers } from '../../src/presence/viewers.ts';
import type { SessionLog } from '../../src/sessions/SessionLog.ts';
import { id } from '../support/ids.ts';

const [ADA, BOB]: readonly [UserId, UserId] = [id(7), id(8)];
const CONNECTION = id<ConnectionId>(1);
const BLOCKED = { userId: BOB, online: false, lastSeenAt: null };
const ONLINE = { userId: BOB, online: true, lastSeenAt: null };

/** Resolves once everything that can run without a timer has run. */
const idle = () => new Promise((resolve) => setImmediate(resolve));

describe('the presence that a connection sees', () => {
  let changes: KeyedQueue;
  let presence: Presence;
  /** Called with each statement before its answer. */
  let onRead: (statement: object) => void;
  let state: typeof ONLINE;
  let pushes: number;
  let shown: (readonly UserId[])[];
  let sent: string[];
  let logged: string[];
  let viewer: { -readonly [Key in keyof Viewer]: Viewer[Key] };

  beforeEach(() => {
    [changes, onRead, state, pushes, shown, sent, logged] = [
      new KeyedQueue(),
      () => {},
      ONLINE,
      0,
      [],
      [],
      [],
    ];
    const query = async (statement: object) => {
      onRead(statement);
      return statement === statesOfUsers ? [state] : [{ id: BOB }];
    };
    const users = {
      findByPk: async () => ({ id: BOB, username: 'Bob' }),
      findAll: async () => [{ id: BOB, username: 'Bob' }],
    };
    const db = { query, users, reads: { query } } as unknown as Database;
    viewer = {
      session: { userId: ADA },
      watching: { watched: new Set([BOB]), hidden: new Set() },
      timesHidden: 0,
      send: (frame) => sent.push(frame),
    };
    const viewers: Viewers = {
      get: () => viewer,
      watch: () => true,
      unwatch: () => {},
      show: (_, userIds) => shown.push(userIds),
      presencePushes: () => pushes,
      mayBeWatched: () => true,
    };
    const sessions = { flushed: async () => {} } as unknown as SessionLog;
    const log = pino({ level: 'error' }, { write: (line) => logged.push(JSON.parse(line).err.message) });
    presence = new Presence(db, changes, sessions, viewers, log);
  });
  const subscribe = () => presence.subscribe(ADA, CONNECTION, [BOB]);
  /** Counts the reads of a statement, and runs something during each. */
  const during = (of: object, work: (times: number) => void) => {
    let times = 0;
    onRead = (statement) => {
      if (statement === of) work(++times);
    };
    return () => times;
  };

  it('is read after the changes of these users that are in progress', async () => {
    let end = () => {};
    void changes.run(presenceKey(BOB), () => new Promise<void>((resolve) => (end = resolve)));
    await idle();
    const reads = during(statesOfUsers, () => {});
    const states = subscribe();
    await idle();
    expect(reads()).to.equal(0);
    end();
    expect(await states).to.deep.equal([ONLINE]);
  });

  it('is read again when a newer state may have been pushed, at most five times', async () => {
    const once = during(statesOfUsers, (times) => {
      if (times === 1) pushes++;
    });
    await subscribe();
    expect(once()).to.equal(2);
    const always = during(statesOfUsers, () => {
      pushes++;
    });
    await subscribe();
    expect(always()).to.equal(5);
  });

  it('is shown only if no block was made while blocks were read', async () => {
    const reads = during(unblockedUsers, (times) => {
      if (times === 1) viewer.timesHidden++;
    });
    await subscribe();
    expect(reads()).to.equal(2);
    expect(shown).to.deep.equal([[BOB]]);
  });

  it('is pushed as offline after a block that has not ended since', async () => {
    for (const [hidden, frames] of [
      [[], 0],
      [[BOB], 1],
    ] as const) {
      viewer.watching = { watched: new Set([BOB]), hidden: new Set(hidden) };
      presence.hidden(viewer, BOB);
      await idle();
      expect(sent).to.have.length(frames);
    }
    expect(JSON.parse(sent[0] ?? '').params).to.include({ ...BLOCKED, senderName: 'Bob' });
  });

  it('is pushed after the end of a block to a connection that still watches, if there is anything to see', async () => {
    const pushed = async () => {
      sent = [];
      presence.shown(viewer, [BOB]);
      await idle();
      return sent.map((frame) => JSON.parse(frame).params.online);
    };
    expect(await pushed()).to.deep.equal([true]);
    state = BLOCKED;
    expect(await pushed()).to.deep.equal([]);
    state = ONLINE;
    viewer.watching = { watched: new Set(), hidden: new Set() };
    expect(await pushed()).to.deep.equal([]);
    viewer.watching = undefined;
    expect(await pushed()).to.deep.equal([]);
  });

  it('is not pushed after a failure, which is logged unless the database is away', async () => {
    for (const failure of [new Error('a bug'), new NotConnectedError(new Error('away'))]) {
      onRead = () => {
        throw failure;
      };
      viewer.watching = { watched: new Set([BOB]), hidden: new Set([BOB]) };
      presence.hidden(viewer, BOB);
      presence.shown(viewer, [BOB]);
      await idle();
    }
    expect(logged).to.deep.equal(['a bug', 'a bug']);
    expect(sent).to.deep.equal([]);
  });
});
