import type { EnvironmentReader } from './EnvironmentReader.ts';

/** The verification of tokens of a host: with a JWKS or a secret. They are not accepted if neither is set. */
export interface AuthSettings {
  /** URL or file of the JSON Web Key Set (RFC 7517) with the public keys of the host. */
  readonly authJwks: string | undefined;
  /** The secret with which the host signs. */
  readonly authSecret: string | undefined;
  /** The claims `iss` and `aud` that tokens must have; undefined only with a secret: any. */
  readonly authIssuer: string | undefined;
  readonly authAudience: string | undefined;
  /** Accepted algorithms (RFC 7518, RFC 8037). */
  readonly authAlgorithms: readonly string[];
  /** The claim that identifies the user. */
  readonly authUserClaim: string;
}

/** Minimum bytes of a secret for HS256 (RFC 7518, 3.2). */
const MIN_SECRET = 32;

const DEFAULT_ALGORITHMS = ['RS256', 'ES256', 'EdDSA'];
const ASYMMETRIC = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
const WITH_SECRET = ['HS256'];

/** Settings that have no meaning without a JWKS or a secret. */
const DEPENDENT = ['AUTH_ISSUER', 'AUTH_AUDIENCE', 'AUTH_ALGORITHMS', 'AUTH_USER_CLAIM'];

/** Reads these settings. `jwtSecrets` are those of the tokens of this server, which the secret must not be among. */
export function authSettings(reader: EnvironmentReader, jwtSecrets: readonly string[]): AuthSettings {
  const authJwks = jwksAddress(reader);
  const authSecret = secretOfHost(reader, jwtSecrets);
  if (authJwks !== undefined && authSecret !== undefined)
    reader.wrong('AUTH_SECRET', 'is set beside AUTH_JWKS', 'only one of them');
  if (authJwks === undefined && authSecret === undefined)
    for (const name of DEPENDENT)
      if (reader.text(name) !== undefined)
        reader.wrong(name, 'is set without AUTH_JWKS or AUTH_SECRET', 'one of them beside it');
  const [authIssuer, authAudience] = [reader.text('AUTH_ISSUER'), reader.text('AUTH_AUDIENCE')];
  if (authJwks !== undefined && authIssuer === undefined)
    reader.wrong('AUTH_ISSUER', 'is unset while AUTH_JWKS is set', 'the claim iss of the tokens');
  if (authJwks !== undefined && authAudience === undefined)
    reader.wrong('AUTH_AUDIENCE', 'is unset while AUTH_JWKS is set', 'the claim aud of the tokens');
  return {
    ...{ authJwks, authSecret, authIssuer, authAudience },
    authAlgorithms: algorithms(reader, authSecret !== undefined),
    authUserClaim: reader.text('AUTH_USER_CLAIM') ?? 'sub',
  };
}

/** Returns true for a JWKS that is fetched, and false for one in a file. */
export const isUrl = (jwks: string): boolean => /^https?:/i.test(jwks);

function jwksAddress(reader: EnvironmentReader): string | undefined {
  const value = reader.text('AUTH_JWKS');
  if (value === undefined || !isUrl(value)) return value;
  const expected = 'a URL such as https://id.example.com/jwks without credentials, or a file';
  if (!URL.canParse(value)) reader.wrong('AUTH_JWKS', 'is not a URL', expected);
  const { username, password } = new URL(value);
  if (username || password) reader.wrong('AUTH_JWKS', 'has a user or a password', expected);
  return value;
}

function secretOfHost(reader: EnvironmentReader, jwtSecrets: readonly string[]): string | undefined {
  const value = reader.env.AUTH_SECRET || undefined;
  if (value === undefined) return undefined;
  const bytes = Buffer.byteLength(value);
  if (bytes < MIN_SECRET)
    reader.wrong('AUTH_SECRET', `has ${bytes} bytes`, `a random string of at least ${MIN_SECRET} bytes`);
  if (jwtSecrets.includes(value))
    reader.wrong('AUTH_SECRET', 'is also in JWT_SECRET', 'a secret that signs no tokens of this server');
  return value;
}

function algorithms(reader: EnvironmentReader, hasSecret: boolean): readonly string[] {
  const [known, fallback] = hasSecret ? [WITH_SECRET, WITH_SECRET] : [ASYMMETRIC, DEFAULT_ALGORITHMS];
  const value = reader.text('AUTH_ALGORITHMS');
  if (value === undefined) return fallback;
  const list = value.split(',').map((name) => name.trim());
  const key = hasSecret ? 'AUTH_SECRET' : 'AUTH_JWKS';
  for (const name of list)
    if (!known.includes(name))
      reader.wrong('AUTH_ALGORITHMS', `contains "${name}"`, `with ${key} a list of ${known.join(', ')}`);
  return list;
}
