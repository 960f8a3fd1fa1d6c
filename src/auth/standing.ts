import type { TokenClaims } from './tokens.ts';

/**
 * Whether the token stands for the row of `users` still: SQL with the parameters of {@link standingBind}, $1 to $4.
 * Raising token_version ends all tokens; `endSession` ends one, and `endOtherSessions` those issued before but one.
 */
export const tokenStands = `
users.id = $1 and users.token_version = $2 and users.deleted_at is null
and (users.others_ended_at is null or users.others_ended_at < to_timestamp($4::double precision) or users.kept_token_id = $3)
and not exists (select from ended_tokens where token_id = $3)
`;

export function standingBind({ userId, tokenVersion, tokenId, issuedAt }: TokenClaims) {
  return [userId, tokenVersion, tokenId ?? null, issuedAt / 1000];
}
