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
