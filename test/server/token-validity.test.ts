import { expect } from 'chai';
import { createTokens, type TokenClaims } from '../../src/auth/tokens.ts';
import { claimsOf } from '../../src/auth/tokenValidity.ts';
import type { ConnectionId } from '../../src/ids.ts';
import { revokedTokens } from '../../src/socket/reconcile.sql.ts';
import { connectAs, database, http, JWT_SECRET, newUser } from '../support/harness.ts';

const tokens = createTokens([JWT_SECRET], 3_600, Date);

/** Returns whether each of the checks of a token accepts it: of HTTP, of an upgrade and of a live connection. */
async function acceptedBy(token: string): Promise<object> {
  const { status } = await http('PATCH', '/users/me', { token, body: {} }); // 400: nothing is to be changed
  const upgrade = await connectAs(token).then(
    () => 101,
    (error) => error.status,
  );
  const claims = [claimsOf(1 as ConnectionId, claimsIn(token))];
  const revoked = await database.query(revokedTokens, [JSON.stringify(claims)]);
  return { http: status === 400, upgrade: upgrade === 101, connection: revoked.length === 0 };
}

const claimsIn = (token: string) => tokens.verify(token) as TokenClaims;

describe('a token of the server', () => {
  const change = (set: string) => async (token: string) => {
    const { userId } = claimsIn(token);
    await database.execute(`update users set ${set} where id = $1`, [userId]);
  };
  const endOthers = (set: string) => async (token: string) => {
    const { userId, tokenId } = claimsIn(token);
    const statement = `update users set others_ended_at = clock_timestamp(), kept_token_id = ${set} where id = $1`;
    await database.execute(statement, [userId, tokenId]);
  };
  const end = (which: string) => async (token: string) => {
    const statement = `insert into ended_tokens (token_id, expires_at) values (${which}, 'infinity')`;
    await database.execute(statement, [claimsIn(token).tokenId]);
  };

  const ENDING: Readonly<Record<string, (token: string) => Promise<void>>> = {
    'when the version of the tokens of its user is raised': change('token_version = token_version + 1'),
    'when its user is deleted': change('deleted_at = now()'),
    'when its user is disabled': change('disabled_at = now()'),
    'when it is ended': end('$1'),
    'when all others than another are ended': endOthers(`'not ' || $2`),
  };
  for (const [when, happen] of Object.entries(ENDING))
    it(`is refused by each check ${when}`, async () => {
      const { token } = await newUser();
      expect(await acceptedBy(token)).to.deep.equal({ http: true, upgrade: true, connection: true });
      await happen(token);
      expect(await acceptedBy(token)).to.deep.equal({ http: false, upgrade: false, connection: false });
    });

  const HARMLESS: Readonly<Record<string, (token: string) => Promise<void>>> = {
    'when another token is ended': end(`'not ' || $1`),
    'when all others than it are ended': endOthers('$2'),
  };
  for (const [when, happen] of Object.entries(HARMLESS))
    it(`is accepted by each check ${when}`, async () => {
      const { token } = await newUser();
      await happen(token);
      expect(await acceptedBy(token)).to.deep.equal({ http: true, upgrade: true, connection: true });
    });
});
