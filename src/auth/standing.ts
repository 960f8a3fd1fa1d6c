import type { TokenClaims } from './tokens.ts';

/**
 * Returns whether a token stands for the row of `users` still, as SQL: the parameters are expressions for its claims, the
 * last one in seconds since the epoch. Raising token_version ends all tokens; `endSession` ends one, and
 * `endOtherSessions` those issued before but one.
 */
const stands = (user: string, version: string, tokenId: string, issued: string) => `
users.id = ${user} and users.token_version = ${version} and users.deleted_at is null and users.disabled_at is null
and (users.others_ended_at is null or users.others_ended_at < to_timestamp(${issued}) or users.kept_token_id = ${tokenId})
and not exists (select from ended_tokens where token_id = ${tokenId})
`;

/** With the parameters of {@link standingBind}, $1 to $4. */
export const tokenStands = stands('$1', '$2', '$3', '$4::double precision');

/** For many tokens at once: $1 is a JSON array of {@link claimsOf}. */
export const claims = `
jsonb_to_recordset($1::jsonb) as claim (id bigint, "user" bigint, version bigint, token text, issued double precision)
`;
export const claimStands = stands('claim."user"', 'claim.version', 'claim.token', 'claim.issued');

export function claimsOf(id: number, { userId, tokenVersion, tokenId, issuedAt }: TokenClaims) {
  return { id, user: userId, version: tokenVersion, token: tokenId, issued: issuedAt / 1000 };
}

export function standingBind({ userId, tokenVersion, tokenId, issuedAt }: TokenClaims) {
  return [userId, tokenVersion, tokenId, issuedAt / 1000];
}
