import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { KeyId } from '../ids.ts';

/** The rights that an API key may have. */
export const SCOPES = {
  act: 'send the commands of any user, as that user',
  users: 'create, change, disable and delete accounts, and make tokens for them',
  groups: 'change any group, as its owner',
  events: 'read what happens in all chats',
} as const;

export type Scope = keyof typeof SCOPES;

/** Bytes of the secret part of a key. */
const SECRET_BYTES = 32;

/** The beginning of every API key, and of no token. */
export const API_KEY_PREFIX = 'pk_';

/** An API key as a client presents it: `pk_`, its id, `_`, and its secret in base64url. */
const FORM = /^pk_([1-9]\d{0,14})_([\w-]{43})$/;

/** A key that a client has presented. */
export interface PresentedKey {
  readonly id: KeyId;
  readonly secretHash: Buffer;
}

/** Returns the secret part of a new key. */
export const newSecret = (): string => randomBytes(SECRET_BYTES).toString('base64url');

/** Returns the key that clients present. */
export const apiKeyOf = (id: KeyId, secret: string): string => `${API_KEY_PREFIX}${id}_${secret}`;

/** Returns the hash that is stored of a secret. It is random, so that a fast hash is enough. */
export const hashOfSecret = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** Reads a presented key; undefined if it does not have the form of one. */
export function readApiKey(text: string): PresentedKey | undefined {
  const [, id, secret] = FORM.exec(text) ?? [];
  return id && secret ? { id: Number(id) as KeyId, secretHash: hashOfSecret(secret) } : undefined;
}

/** Compares two hashes in constant time. */
export const isSameHash = (one: Buffer, other: Buffer): boolean =>
  one.length === other.length && timingSafeEqual(one, other);
