import { expect } from 'chai';
import type { SessionId, UserId } from '../../src/ids.ts';
import { reasonToEnd } from '../../src/socket/reasonToEnd.ts';
import { id } from '../support/ids.ts';

/** The session of the connection, and another one of its user. */
const [OWN, OTHER] = [id<SessionId>(11), id<SessionId>(12)];

const connection = {
  sessionId: OWN,
  session: { userId: id<UserId>(7), tokenVersion: 3, tokenId: 'mine', since: 500, issuedAt: 0, expiresAt: 0 },
};

describe('a signal to the connections of a user', () => {
  it('ends those whose token is older than the version that it names, or all without one', () => {
    expect(reasonToEnd(connection, { kind: 'revoked', tokenVersion: 4 })).to.equal('The token was revoked');
    expect(reasonToEnd(connection, { kind: 'revoked' })).to.equal('The token was revoked');
  });

  it('leaves those with a newer token alone, where it arrives late', () => {
    for (const tokenVersion of [3, 2])
      expect(reasonToEnd(connection, { kind: 'revoked', tokenVersion })).to.equal(undefined);
  });

  it('ends the session that was ended, and those with the same token', () => {
    expect(reasonToEnd(connection, { kind: 'ended', sessionId: OWN })).to.equal('The session was ended');
    expect(reasonToEnd(connection, { kind: 'ended', sessionId: OTHER, tokenId: 'mine' })).to.equal(
      'The session was ended',
    );
  });

  it('leaves other sessions alone', () => {
    expect(reasonToEnd(connection, { kind: 'ended', sessionId: OTHER })).to.equal(undefined);
    expect(reasonToEnd(connection, { kind: 'ended', sessionId: OTHER, tokenId: 'other' })).to.equal(
      undefined,
    );
  });

  it('ends all other sessions, except the one that asked and those that logged in since', () => {
    const reasons = [
      { kind: 'othersEnded', sessionId: OTHER } as const,
      { kind: 'othersEnded', sessionId: OTHER, since: 400 } as const,
      { kind: 'othersEnded', sessionId: OWN } as const,
      { kind: 'othersEnded', sessionId: OTHER, since: 500 } as const,
    ].map((signal) => reasonToEnd(connection, signal));
    expect(reasons).to.deep.equal(['The session was ended', 'The session was ended', undefined, undefined]);
  });

  it('ends a session whose token does not say when the others ended', () => {
    const old = { ...connection, session: { ...connection.session, since: undefined } };
    expect(reasonToEnd(old, { kind: 'othersEnded', sessionId: OTHER })).to.equal('The session was ended');
  });

  it('ends a session of a host whose token was issued before the others ended, and no later one', () => {
    const reasons = [499, 500, 501].map((issuedAt) => {
      const session = { ...connection.session, since: undefined, issuedAt };
      return reasonToEnd({ ...connection, session }, { kind: 'othersEnded', sessionId: OTHER, since: 500 });
    });
    expect(reasons).to.deep.equal(['The session was ended', 'The session was ended', undefined]);
  });

  it('ends none where it is about something else', () => {
    expect(reasonToEnd(connection, { kind: 'unwatch', userId: id(8) })).to.equal(undefined);
    expect(reasonToEnd(connection, { kind: 'reconcile' })).to.equal(undefined);
    expect(reasonToEnd(connection, { kind: 'joined', chatId: id(1), seq: 1 })).to.equal(undefined);
  });
});
