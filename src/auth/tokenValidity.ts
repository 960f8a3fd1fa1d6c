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
 * Returns whether a token stands for the row of `users` still, as SQL: the parameters are expressions for its claims.
 * Raising token_version ends all tokens; `endSession` ends one, and `endOtherSessions` those issued before but one. It
 * gives others_ended_at a value that it never had, which the tokens issued from then on carry: no clocks are compared.
 * Those without `since` are judged by when they were issued.
 */
const isValid = ({ user, version, token, since, issued }: ClaimNames) => `
users.id = ${user} and users.token_version = ${version} and users.deleted_at is null and users.disabled_at is null
and (users.kept_token_id = ${token} or case
  when ${since} is null then users.others_ended_at is null or users.others_ended_at < to_timestamp(${issued})
  else ${since} = coalesce((extract(epoch from users.others_ended_at) * 1000)::bigint, 0)
end)
and not exists (select from ended_tokens where token_id = ${token})
`;

/** With the parameters of {@link tokenBind}, $1 to $5. */
export const tokenIsValid = isValid({
  user: '$1',
  version: '$2',
  token: '$3',
  since: '$4::bigint',
  issued: '$5::double precision',
});

/** For many tokens at once: $1 is a JSON array of {@link claimsOf}. */
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

export function claimsOf(id: number, { userId, tokenVersion, tokenId, since, issuedAt }: TokenClaims) {
  return { id, user: userId, version: tokenVersion, token: tokenId, since, issued: issuedAt / 1000 };
}

export function tokenBind({ userId, tokenVersion, tokenId, since, issuedAt }: TokenClaims) {
  return [userId, tokenVersion, tokenId, since ?? null, issuedAt / 1000];
}
