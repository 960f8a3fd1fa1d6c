import type { ConnectionId } from '../ids.ts';
import type { TokenClaims } from './tokens.ts';

interface ClaimNames {
  readonly user: string;
  readonly version: string;
  readonly token: string;
  readonly since: string;
  /** In seconds since the epoch. */
  readonly issued: string;
}

/**
 * Returns an SQL condition: a token is still valid for the row of `users`. The parameters are SQL expressions for the
 * claims. Raising token_version invalidates all tokens, `endSession` invalidates one, and `endOtherSessions`
 * invalidates all issued before except one. For that it sets others_ended_at to a value it never had before, which all
 * later tokens contain as `since`, so no clocks are compared. Tokens without `since` are checked by their time of
 * issue.
 */
const isValid = ({ user, version, token, since, issued }: ClaimNames) => `
users.id = ${user} and users.token_version = ${version} and users.deleted_at is null and users.disabled_at is null
and (users.kept_token_id = ${token} or case
  when ${since} is null then users.others_ended_at is null or users.others_ended_at < to_timestamp(${issued})
  else ${since} = coalesce((extract(epoch from users.others_ended_at) * 1000)::bigint, 0)
end)
and not exists (select from ended_tokens where token_id = ${token})
`;

/** The condition for one token with the parameters of {@link tokenBind}, $1 to $5. */
export const tokenIsValid = isValid({
  user: '$1',
  version: '$2',
  token: '$3',
  since: '$4::bigint',
  issued: '$5::double precision',
});

/** The rows of many tokens: $1 is a JSON array of {@link claimsOf}. */
export const claimRows = `
jsonb_to_recordset($1::jsonb) as claim (
  id bigint, "user" bigint, version bigint, token text, since bigint, issued double precision
)
`;
export const claimIsValid = isValid({
  user: 'claim."user"',
  version: 'claim.version',
  token: 'claim.token',
  since: 'claim.since',
  issued: 'claim.issued',
});

/**
 * The condition for a token of a host, which has no version: it must have been issued after the last raise of
 * token_version. The parameters are columns of `claim`, and `users` is the account.
 */
export const hostTokenIsValid = `(
  ${isValid({
    user: 'users.id',
    version: 'users.token_version',
    token: 'claim.token',
    since: 'null::bigint',
    issued: 'claim.issued',
  })}
  and (users.tokens_ended_at is null or users.tokens_ended_at < to_timestamp(claim.issued))
)`;

/** Returns the row of a token for {@link claimRows}. */
export function claimsOf(id: ConnectionId, { userId, tokenVersion, tokenId, since, issuedAt }: TokenClaims) {
  return { id, user: userId, version: tokenVersion, token: tokenId, since, issued: issuedAt / 1000 };
}

/** Returns the parameters of {@link tokenIsValid}. */
export function tokenBind({ userId, tokenVersion, tokenId, since, issuedAt }: TokenClaims) {
  return [userId, tokenVersion, tokenId, since ?? null, issuedAt / 1000];
}
