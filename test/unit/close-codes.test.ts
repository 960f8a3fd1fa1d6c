import { expect } from 'chai';
import { CloseCode, mayReconnect } from '../../src/protocol/closeCodes.ts';

describe('a close code', () => {
  it('allows clients to reconnect by its range, and always outside the ranges', () => {
    const always = [
      0, 1000, 1006, 1015, 3000, 4000, 4099, 4100, 4399, 4400, 4402, 4428, 4429, 4430, 4499, 5000,
    ];
    for (const code of always)
      for (const hasFreshToken of [true, false])
        expect(mayReconnect(code, hasFreshToken), `${code}`).to.equal(true);
  });

  it('forbids clients to reconnect from 4500 to 4999, with any token', () => {
    for (const code of [4500, 4501, 4600, 4998, 4999])
      for (const hasFreshToken of [true, false])
        expect(mayReconnect(code, hasFreshToken), `${code}`).to.equal(false);
  });

  it('4401 forbids clients without a fresh token to reconnect', () => {
    expect([mayReconnect(4401, true), mayReconnect(4401, false)]).to.deep.equal([true, false]);
  });

  it('keeps its number and meaning', () => {
    expect(CloseCode).to.deep.equal({
      GoingAway: 1001,
      TooBig: 1009,
      InternalError: 1011,
      ServiceRestart: 1012,
      Unauthorized: 4401,
      TooManyRequests: 4429,
    });
  });
});
