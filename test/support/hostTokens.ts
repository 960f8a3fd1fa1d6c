import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

const ISSUER = 'https://id.example.com/';
export const AUDIENCE = 'parley';

/** Claims of a token; those that are undefined are left out. */
export type Claims = Readonly<Record<string, unknown>>;

/** A key of a host. */
export interface HostKey {
  readonly kid: string;
  readonly publicKey: JWK;
  sign(claims: Claims, header?: Readonly<Record<string, unknown>>): Promise<string>;
}

/** Makes a key of a host, which signs tokens that are valid for an hour unless their claims say something else. */
export async function hostKey(kid: string, alg = 'ES256'): Promise<HostKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return {
    kid,
    publicKey: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' },
    sign: (claims, header) =>
      new SignJWT(claimsOf(claims)).setProtectedHeader({ alg, kid, ...header }).sign(privateKey),
  };
}

/** Returns the claims of a valid token with some of them replaced. */
export function claimsOf(claims: Claims): JWTPayload {
  const now = Math.floor(Date.now() / 1000);
  return { iss: ISSUER, aud: AUDIENCE, iat: now, exp: now + 3600, ...claims };
}

/** A server for the JWKS of a host. */
export interface JwksServer {
  readonly url: string;
  /** The number of requests so far. */
  readonly requests: number;
  /** Sets the keys that are published. */
  publish(...keys: HostKey[]): void;
  /** Sets the answer. */
  answer(status: number, body: string): void;
  close(): Promise<void>;
}

export async function startJwksServer(...keys: HostKey[]): Promise<JwksServer> {
  let requests = 0;
  let reply = { status: 200, body: '' };
  const publish = (...published: HostKey[]) => {
    reply = { status: 200, body: JSON.stringify({ keys: published.map(({ publicKey }) => publicKey) }) };
  };
  publish(...keys);
  const server: Server = createServer((_, response) => {
    requests++;
    response.writeHead(reply.status, { connection: 'close' }).end(reply.body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
    get requests() {
      return requests;
    },
    publish,
    answer(status, body) {
      reply = { status, body };
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Returns the settings of a server that accepts tokens of the host. */
export const hostSettings = ({ url }: Pick<JwksServer, 'url'>): Record<string, string> => ({
  ...{ AUTH_JWKS: url, AUTH_ISSUER: ISSUER, AUTH_AUDIENCE: AUDIENCE },
});
