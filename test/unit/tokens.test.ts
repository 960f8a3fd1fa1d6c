import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { createTokens } from '../../src/auth/tokens.ts';
import type { UserId } from '../../src/ids.ts';
import { Node } from '../cluster/node.ts';
import { JWT_SECRET } from '../support/harness.ts';
import { id } from '../support/ids.ts';

const SECOND = 1_800_000_000_000;
const LIFETIME = 60;

describe('a token', () => {
  let time = SECOND;
  const tokens = createTokens([JWT_SECRET], LIFETIME, { now: () => time });
  const setTime = (now: number) => {
    time = now;
  };

  it('is accepted until its exp and refused from then on, to the millisecond', () => {
    for (const fraction of [0, 1, 300, 700, 999]) {
      setTime(SECOND + fraction);
      const token = tokens.issue({ id: id(7), tokenVersion: 1, othersEndedAt: null });
      const expiresAt = SECOND + fraction + LIFETIME * 1000;
      setTime(expiresAt - 1);
      expect(tokens.verify(token), `just before, ${fraction}`).to.include({ userId: 7, expiresAt });
      for (const late of [0, 1, 299, 1000]) {
        setTime(expiresAt + late);
        expect(tokens.verify(token), `${late} ms after, ${fraction}`).to.equal(undefined);
      }
    }
  });

  it('opens no connection when it expires while the upgrade waits', async () => {
    const { connections } = new Node();
    const claims = { userId: id<UserId>(7), tokenVersion: 1, tokenId: 'token', since: 0, issuedAt: 0 };
    for (const [lifetime, hasEnded] of [
      [60_000, false],
      [-1, true],
    ] as const) {
      const expiresAt = Date.now() + lifetime;
      const connection = connections.register({ ...claims, expiresAt }, '127.0.0.1', null);
      await connections.subscribe(connection, { groups: [], dialogs: [], snapshot: '1:1:' });
      expect(connection.state === 'closed').to.equal(hasEnded);
    }
    connections.close();
  });

  it('is refused with claims that no server issues', () => {
    setTime(SECOND);
    const verify = (claims: object) =>
      tokens.verify(
        jwt.sign({ sub: '7', ver: 1, iat: SECOND / 1000, ...claims }, JWT_SECRET, { expiresIn: LIFETIME }),
      );
    for (const claims of [
      ...[{ sub: '1' }, { sub: `${Number.MAX_SAFE_INTEGER}` }, { ver: 2 ** 31 - 1 }],
      ...[{ since: 0 }, { since: Number.MAX_SAFE_INTEGER }, { jti: 'x'.repeat(100) }],
    ])
      expect(verify(claims), JSON.stringify(claims)).to.have.property('tokenId');
    for (const claims of [
      ...[{ sub: '0' }, { sub: '07' }, { sub: '-7' }, { sub: '7.0' }, { sub: '' }, { sub: `${2 ** 53}` }],
      ...[{ ver: 0 }, { ver: -1 }, { ver: 1.5 }, { ver: '1' }, { ver: 2 ** 31 }],
      ...[{ since: -1 }, { since: 0.5 }, { since: '0' }, { since: 2 ** 53 }, { since: null }],
      ...[{ jti: 7 }, { jti: 'x'.repeat(101) }, { jti: 'a\0b' }],
    ])
      expect(verify(claims), JSON.stringify(claims)).to.equal(undefined);
  });

  it('is accepted with HS256 only', () => {
    setTime(SECOND);
    const claims = { sub: '7', ver: 1, iat: SECOND / 1000, exp: SECOND / 1000 + LIFETIME };
    for (const algorithm of ['HS256', 'HS384', 'HS512'] as const)
      expect(tokens.verify(jwt.sign(claims, JWT_SECRET, { algorithm })) !== undefined, algorithm).to.equal(
        algorithm === 'HS256',
      );
    expect(tokens.verify(jwt.sign(claims, null, { algorithm: 'none' }))).to.equal(undefined);
  });

  it('without a jti has a derived id, which is the same each time', () => {
    const sign = (iat: number) => jwt.sign({ sub: '7', ver: 1, iat }, JWT_SECRET, { expiresIn: LIFETIME });
    const seconds = SECOND / 1000;
    setTime(SECOND);
    const [one, other] = [sign(seconds), sign(seconds - 1)];
    const idOf = (token: string) => tokens.verify(token)?.tokenId;
    expect(idOf(one)).to.be.a('string').and.equal(idOf(one));
    expect(idOf(other)).to.be.a('string').and.not.equal(idOf(one));
  });
});
