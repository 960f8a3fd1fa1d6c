import type { TokenClaims } from './tokens.ts';

/** The user and the token of a connection: the claims that its upgrade was accepted with. */
export type Session = TokenClaims;
