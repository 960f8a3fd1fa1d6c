import type { HostTokens } from '../auth/hostTokens.ts';
import type { TokenClaims } from '../auth/tokens.ts';
import { LimitError } from '../protocol/errors.ts';
import { createHostAccounts } from './hostAccounts.ts';
import type { HostAccountServices } from './updateHostProfile.ts';

/** Tokens that may wait for their accounts: some 4 KiB each. */
const MAX_WAITING = 20_000;

/**
 * Returns a function that returns the claims of a token of the host in the form of those of this server's own tokens;
 * undefined if it is not valid or was revoked. It has the current `tokenVersion` of the account: connections with it end
 * when that is raised. Rejects with `UNAVAILABLE` if the keys of the host were never read, or too many tokens wait.
 */
export function createHostSessions(hostTokens: HostTokens, services: HostAccountServices) {
  const accountOf = createHostAccounts(services);
  let waiting = 0;
  return async (token: string): Promise<TokenClaims | undefined> => {
    if (waiting >= MAX_WAITING)
      throw new LimitError('upgrades', 'UNAVAILABLE', 'Too many connections at once; retry in a moment', 5);
    waiting++;
    try {
      const valid = await hostTokens.verify(token);
      const account = valid && (await accountOf(valid));
      if (!account) return undefined;
      const { tokenId, issuedAt, expiresAt } = valid;
      const { id: userId, tokenVersion } = account;
      return { userId, tokenVersion, tokenId, since: undefined, issuedAt, expiresAt };
    } finally {
      waiting--;
    }
  };
}
