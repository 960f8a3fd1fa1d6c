import { expect } from 'chai';
import type { SessionId, UserId } from '../../src/ids.ts';
import { UnrecordedSessions } from '../../src/sessions/UnrecordedSessions.ts';
import { id } from '../support/ids.ts';

const at = (milliseconds: number) => new Date(milliseconds).toISOString();
const connection = (sessionId: number, connectedAt = 1_000) => ({
  sessionId: id<SessionId>(sessionId),
  session: { userId: id<UserId>(7), tokenId: 'token' },
  address: '127.0.0.1',
  device: null,
  connectedAt,
});

describe('the sessions that are not in the database yet', () => {
  let sessions: UnrecordedSessions;

  beforeEach(() => {
    sessions = new UnrecordedSessions();
  });

  const ids = (max = 10) => sessions.take(max).map(({ id }) => id);

  it('are taken once, the oldest first, as many as one statement writes', () => {
    for (const sessionId of [3, 1, 2]) sessions.add(connection(sessionId), null);
    expect([ids(2), ids(2), ids(2)]).to.deep.equal([[3, 1], [2], []]);
  });

  it('have the newest state of each', () => {
    sessions.add(connection(1), null);
    sessions.add(connection(2), null);
    sessions.add(connection(1), 3_000);
    expect(
      sessions.take(10).map(({ id, connected_at, ended_at }) => [id, connected_at, ended_at]),
    ).to.deep.equal([
      [1, at(1_000), at(3_000)],
      [2, at(1_000), null],
    ]);
  });

  it('do not end before they begin when the clock turns out to be behind', () => {
    sessions.add(connection(1), 500);
    expect(sessions.take(1)[0]?.ended_at).to.equal(at(1_000));
  });

  it('stay when they could not be written, except those that have changed since', () => {
    for (const sessionId of [1, 2]) sessions.add(connection(sessionId), null);
    const failed = sessions.take(10);
    sessions.add(connection(1), 3_000);
    sessions.putBack(failed);
    expect(sessions.size).to.equal(2);
    expect(sessions.take(10).map(({ id, ended_at }) => [id, ended_at])).to.deep.equal([
      [1, at(3_000)],
      [2, null],
    ]);
  });

  it('are at most 100,000: then the oldest are dropped', () => {
    for (let sessionId = 1; sessionId <= 100_002; sessionId++) sessions.add(connection(sessionId), null);
    expect(sessions.size).to.equal(100_000);
    expect(ids(1)).to.deep.equal([3]);
  });
});
