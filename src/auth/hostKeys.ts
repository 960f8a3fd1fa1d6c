import { createSecretKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { JSONWebKeySet } from 'jose';
import type { Logger } from 'pino';
import { type AuthSettings, isUrl } from '../authSettings.ts';
import { StartError } from '../protocol/errors.ts';
import type { HostKeys } from './hostTokens.ts';

/** Milliseconds within which a JWKS must have arrived, and its maximum bytes. */
const TIMEOUT = 5_000;
const MAX_BYTES = 1_048_576;

const intervals = { now: () => performance.now() };

/**
 * Returns the keys of the host, if its tokens are accepted. Throws a {@link StartError} for a file without a valid JWKS. A
 * URL that cannot be read is logged, and read again once a token needs a key.
 */
export async function openHostKeys(
  { authJwks, authSecret }: AuthSettings,
  log: Logger,
): Promise<HostKeys | undefined> {
  if (authSecret !== undefined) return secretKeys(authSecret);
  return authJwks === undefined ? undefined : openJwks(authJwks, log);
}

/** The keys of a host that signs with a secret. */
function secretKeys(secret: string): HostKeys {
  const key = createSecretKey(Buffer.from(secret));
  return { version: 1, find: () => key, newerThan: async () => false };
}

async function openJwks(address: string, log: Logger): Promise<HostKeys> {
  const { Jwks, reasonOf } = await import('./Jwks.ts');
  const isRemote = isUrl(address);
  const keys = new Jwks(() => (isRemote ? fetchJwks(address) : readJwks(address)), intervals, log);
  await keys.start().catch((error) => {
    const reason = reasonOf(error);
    if (!isRemote)
      throw new StartError(`AUTH_JWKS names ${address}, which ${reason}; expected a URL or a file of a JWKS`);
    log.warn({ reason }, 'failed to load the JWKS; tokens of the host are refused until it can be read');
  });
  return keys;
}

/** Fetches a JWKS. Redirects are refused: the address is the one that is configured. */
async function fetchJwks(url: string): Promise<JSONWebKeySet> {
  const response = await fetch(url, {
    redirect: 'error',
    headers: { accept: 'application/jwk-set+json, application/json' },
    signal: AbortSignal.timeout(TIMEOUT),
  });
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw new Error(`was answered with ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new Error(`has more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return keySetOf(Buffer.concat(chunks).toString());
}

async function readJwks(file: string): Promise<JSONWebKeySet> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`cannot be read (${error.code})`);
  });
  return keySetOf(text);
}

/** Parses a JWKS; refuses one without keys, which would end all tokens, and one with keys that must not be there. */
function keySetOf(text: string): JSONWebKeySet {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('is not JSON');
  }
  if (!isKeySet(value)) throw new Error('is not a JWKS with at least one key');
  if (value.keys.some(({ d, k }) => d !== undefined || k !== undefined))
    throw new Error('contains a private or a secret key');
  return value;
}

function isKeySet(value: unknown): value is JSONWebKeySet {
  if (!isObject(value) || !('keys' in value) || !Array.isArray(value.keys)) return false;
  return value.keys.length > 0 && value.keys.every((key) => isObject(key) && 'kty' in key);
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
