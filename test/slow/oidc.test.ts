import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { Refused } from '../support/client.ts';
import { connectAs, type RunningServer, startServer } from '../support/harness.ts';
import { installLocked } from '../support/packages.ts';
import { jumpAhead } from '../support/time.ts';

/** The package of the provider. */
const PACKAGE = fileURLToPath(new URL('oidc/', import.meta.url));
const REDIRECT = 'https://app.example.com/callback';

/** The parts of oidc-provider that the tests use. */
interface Provider {
  callback(): RequestListener;
  interactionFinished(request: IncomingMessage, response: ServerResponse, result: object): Promise<void>;
}
type ProviderClass = new (issuer: string, configuration: object) => Provider;

/** A request to the provider, as the hook of the library for consent receives it. */
interface ProviderContext {
  readonly oidc: {
    readonly client: { readonly clientId: string };
    readonly session: { readonly accountId: string };
    readonly provider: {
      readonly Grant: new (grant: object) => { addOIDCScope(scope: string): void; save(): Promise<string> };
    };
  };
}

describe('an OpenID provider', function () {
  this.timeout(120_000);
  let Provider: ProviderClass;
  let http: Server;
  let issuer: string;
  let handle: RequestListener;
  let parley: RunningServer;
  let key: JWK;

  before(async function () {
    if (!(await installLocked(PACKAGE))) this.skip();
    ({ Provider } = await import(`${PACKAGE}node_modules/oidc-provider/lib/index.js`));
    http = createServer((request, response) => handle(request, response)).listen(0, '127.0.0.1');
    await once(http, 'listening');
    issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    key = await newKey('first');
    publish(key);
    parley = await startServer({ AUTH_JWKS: `${issuer}/jwks`, AUTH_ISSUER: issuer, AUTH_AUDIENCE: 'parley' });
  });
  after(async () => {
    await parley?.close();
    http?.close();
    http?.closeAllConnections();
  });

  async function newKey(kid: string): Promise<JWK> {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    return { ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' };
  }

  /** Starts a provider with these keys, the first of which signs, in the place of the last one. */
  function publish(...keys: JWK[]): void {
    const client = (client_id: string) => ({
      ...{ client_id, client_secret: 'a secret', redirect_uris: [REDIRECT] },
    });
    const provider = new Provider(issuer, {
      clients: [client('parley'), client('other')],
      jwks: { keys },
      cookies: { keys: ['a key of cookies'] },
      conformIdTokenClaims: false,
      claims: { profile: ['name', 'preferred_username', 'picture'], email: ['email', 'email_verified'] },
      features: { devInteractions: { enabled: false } },
      interactions: { url: () => '/login' },
      findAccount: (_: unknown, sub: string) => ({
        accountId: sub,
        claims: () => ({
          ...{ sub, name: `Name of ${sub}`, preferred_username: `${sub}${process.pid}` },
          ...{ email: `${sub}${process.pid}@id.example.com`, email_verified: true },
        }),
      }),
      async loadExistingGrant({
        oidc: {
          client: { clientId },
          session,
          provider: { Grant },
        },
      }: ProviderContext) {
        const grant = new Grant({ clientId, accountId: session.accountId });
        grant.addOIDCScope('openid profile email');
        await grant.save();
        return grant;
      },
    });
    const callback = provider.callback();
    handle = (request, response) => {
      if (request.url !== '/login') return callback(request, response);
      const login = { accountId: String(request.headers['x-user']) };
      return provider.interactionFinished(request, response, { login });
    };
  }

  /** Logs in as a browser would, and returns the ID token. */
  async function login(user: string, clientId = 'parley'): Promise<string> {
    const verifier = randomBytes(32).toString('base64url');
    const query = new URLSearchParams({
      ...{
        client_id: clientId,
        response_type: 'code',
        redirect_uri: REDIRECT,
        scope: 'openid profile email',
      },
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    });
    const cookies = new Map<string, string>();
    let location = `${issuer}/auth?${query}`;
    while (!location.startsWith(REDIRECT)) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await fetch(location, { redirect: 'manual', headers: { cookie, 'x-user': user } });
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        cookies.set(name, value);
      }
      const next = response.headers.get('location');
      if (!next) throw new Error(`the provider answered ${response.status}: ${await response.text()}`);
      location = new URL(next, location).href;
    }
    const answer = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${clientId}:a%20secret`).toString('base64')}` },
      body: new URLSearchParams({
        ...{ grant_type: 'authorization_code', redirect_uri: REDIRECT, code_verifier: verifier },
        code: new URL(location).searchParams.get('code') ?? '',
      }),
    });
    const { id_token: token } = (await answer.json()) as { id_token?: string };
    if (!token) throw new Error(`the provider answered ${answer.status} without a token`);
    return token;
  }

  const connect = (token: string) => connectAs(token, parley.url);
  const statusOf = (token: string) =>
    connect(token).then(
      () => 101,
      (error) => (error instanceof Refused ? error.status : Promise.reject(error)),
    );

  it('logs users in, whose claims fill their profiles', async () => {
    const ada = await connect(await login('ada'));
    const { data } = await ada.done('getProfile');
    expect(data).to.include({
      ...{
        username: `ada${process.pid}`,
        displayName: 'Name of ada',
        email: `ada${process.pid}@id.example.com`,
      },
    });
    const again = await connect(await login('ada'));
    expect((await again.done('getProfile')).data.userId).to.equal(data.userId);
    const bob = await connect(await login('bob'));
    expect((await bob.done('getProfile')).data.userId).not.to.equal(data.userId);
  });

  it('has tokens for other clients, which are refused', async () => {
    expect(await statusOf(await login('ada', 'other'))).to.equal(401);
  });

  it('replaces its keys under live connections: both are accepted, then the new one only', async () => {
    const old = await login('cleo');
    const client = await connect(old);
    const next = await newKey('next');
    publish(next, key);
    const token = await login('cleo');
    const restore = jumpAhead(30_000);
    try {
      for (const value of [token, old]) expect(await statusOf(value)).to.equal(101);
      publish(next);
      await client.done('ping');
    } finally {
      restore();
    }
    const restoreAgain = jumpAhead(700_000);
    try {
      await statusOf(old); // the keys are older than ten minutes: read again
      expect(await statusOf(await login('cleo'))).to.equal(101);
      expect(await statusOf(old)).to.equal(401);
    } finally {
      restoreAgain();
    }
  });
});
