import type { HostToken } from '../auth/hostTokens.ts';
import { hostTokenIsValid } from '../auth/tokenValidity.ts';
import { batched } from '../database/batched.ts';
import type { Database } from '../database/database.ts';
import type { HostClaims } from '../database/models/User.ts';
import { prepared } from '../database/statements.ts';
import type { UserId } from '../ids.ts';
import { foldedUser } from '../text/foldedColumns.ts';
import { usernamesLike, withFreeNames } from './freeNames.ts';
import { type HostProfile, hostProfileOf } from './hostProfile.ts';
import { type HostAccountServices, isNews, updateHostProfile } from './updateHostProfile.ts';

/** The account of a user of the host, as far as a token needs it. */
export interface HostAccount {
  readonly id: UserId;
  readonly tokenVersion: number;
}

/**
 * Returns a function that returns the account of a token, or undefined if the token was revoked, or the account was
 * disabled or deleted. The first token of a user creates the account, once for all nodes. Claims that differ from those of
 * the last token change the profile: those that a user has changed here stay until they change at the host.
 */
export function createHostAccounts(services: HostAccountServices) {
  const { db } = services;
  const accounts = batched((tokens: readonly HostToken[]) => read(db, tokens), MAX_BATCH);
  return async (token: HostToken): Promise<HostAccount | undefined> => {
    const profile = hostProfileOf(token.claims);
    let account = await accounts.load(token);
    if (!account) {
      await create(db, token, profile);
      account = await accounts.load(token);
    }
    if (!account?.isValid) return undefined;
    if (isNews(account.hostClaims, token, profile))
      await updateHostProfile(services, account.id, token, profile);
    return account;
  };
}

/** Tokens whose accounts one query reads. */
const MAX_BATCH = 200;

interface Row extends HostAccount {
  readonly position: number;
  readonly hostClaims: HostClaims | null;
  /** Null and false: the token was revoked, or the account must not be used. */
  readonly isValid: boolean | null;
}

/** Reads the accounts of tokens; undefined for those that do not exist yet. */
async function read(db: Database, tokens: readonly HostToken[]): Promise<(Row | undefined)[]> {
  const input = tokens.map(({ externalId, tokenId, issuedAt }, position) => ({
    ...{ position, external: externalId, token: tokenId, issued: issuedAt / 1000 },
  }));
  const rows = await db.query<Row>(hostAccounts, [JSON.stringify(input)]);
  const byPosition = new Map(rows.map((row) => [row.position, row]));
  return tokens.map((_, position) => byPosition.get(position));
}

/** Uses the index users_external_id. */
const hostAccounts = prepared(
  'accounts of a host',
  `
select claim.position, users.id, users.token_version as "tokenVersion", users.host_claims as "hostClaims",
  ${hostTokenIsValid} as "isValid"
from jsonb_to_recordset($1::jsonb) as claim (
  position integer, external text, token text, issued double precision
)
cross join lateral (select * from users where users.external_id = claim.external limit 1) users
`,
);

/** Creates the account of a token, unless it exists. */
async function create(
  db: Database,
  { externalId, issuedAt }: HostToken,
  profile: HostProfile,
): Promise<void> {
  const hostClaims = JSON.stringify({ ...profile, issuedAt });
  const { displayName = null, avatar = null } = profile;
  await withFreeNames(usernamesLike(profile.username), profile.email, async (username, freeEmail) => {
    const email = freeEmail ?? null;
    const folded = foldedUser({ username, displayName, email });
    const { usernameFolded, usernameSearch, displayNameSearch, emailFolded } = folded;
    await db.execute(insertAccount, [
      ...[externalId, hostClaims, username, usernameFolded, usernameSearch],
      ...[displayName, displayNameSearch, avatar, email, emailFolded],
    ]);
  });
}

const insertAccount = `
insert into users (
  external_id, host_claims, username, username_folded, username_search, display_name, display_name_search, avatar,
  email, email_folded
)
values ($1, $2::jsonb, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (external_id) where external_id is not null do nothing
`;
