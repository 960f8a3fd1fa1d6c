import { addToOutbox } from '../bus/outbox.ts';
import { keyTopic } from '../bus/topics.ts';
import type { Database } from '../database/database.ts';
import type { KeyId } from '../ids.ts';
import { apiKeyOf, hashOfSecret, isSameHash, newSecret, type PresentedKey, type Scope } from './apiKeys.ts';

/** A valid key, with the scopes that it allows. */
export interface ServiceKey {
  readonly id: KeyId;
  readonly name: string;
  readonly scopes: readonly Scope[];
}

/** A key as operators see it. */
interface ListedKey extends ServiceKey {
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
}

/** Creates a key. It is returned with its secret, of which only a hash is stored. */
export async function createKey(
  db: Database,
  name: string,
  scopes: readonly Scope[],
): Promise<ListedKey & { readonly key: string }> {
  const secret = newSecret();
  const bind = [name, JSON.stringify(scopes), hashOfSecret(secret)];
  const [created] = await db.execute<ListedKey>(insertKey, bind);
  if (!created) throw new Error('a key was not created');
  return { ...created, key: apiKeyOf(created.id, secret) };
}

/** Returns all keys, newest first, also revoked ones. */
export const listKeys = (db: Database): Promise<ListedKey[]> => db.query<ListedKey>(allKeys, []);

/** Revokes a key, and ends its connections on every node within a second. Undefined if there is none with this id. */
export function revokeKey(db: Database, id: KeyId): Promise<ListedKey | undefined> {
  return db.transaction(async (transaction) => {
    const [revoked] = await db.execute<ListedKey>(revoke, [id], transaction);
    if (revoked) await addToOutbox(db, keyTopic(id), { signal: { kind: 'revoked' } }, transaction);
    return revoked;
  });
}

/** Returns the key that was presented; undefined if it does not exist, its secret is wrong, or it was revoked. */
export async function findKey(
  db: Database,
  { id, secretHash }: PresentedKey,
): Promise<ServiceKey | undefined> {
  const [found] = await db.query<ServiceKey & { secretHash: Buffer }>(validKey, [id]);
  if (!found || !isSameHash(found.secretHash, secretHash)) return undefined;
  const { name, scopes } = found;
  return { id, name, scopes };
}

/** Notes that keys are in use now. Returns those that are valid. */
export async function useKeys(db: Database, ids: readonly KeyId[]): Promise<ReadonlySet<KeyId>> {
  const valid = await db.execute<{ id: KeyId }>(noteUse, [JSON.stringify(ids)]);
  return new Set(valid.map(({ id }) => id));
}

/** Returns which of these keys are valid. */
export async function validKeys(db: Database, ids: readonly KeyId[]): Promise<ReadonlySet<KeyId>> {
  const valid = await db.query<{ id: KeyId }>(stillValid, [JSON.stringify(ids)]);
  return new Set(valid.map(({ id }) => id));
}

const columns = `
id, name, scopes, created_at as "createdAt", last_used_at as "lastUsedAt", revoked_at as "revokedAt"
`;

const insertKey = `
insert into service_keys (name, scopes, secret_hash)
values ($1, array(select jsonb_array_elements_text($2::jsonb)), $3)
returning ${columns}
`;

const allKeys = `select ${columns} from service_keys order by id desc`;

const revoke = `
update service_keys set revoked_at = coalesce(revoked_at, clock_timestamp()) where id = $1 returning ${columns}
`;

const validKey = `
select name, scopes, secret_hash as "secretHash" from service_keys where id = $1 and revoked_at is null
`;

const ofKeys = 'id = any (array(select jsonb_array_elements_text($1::jsonb)::bigint)) and revoked_at is null';

const noteUse = `
update service_keys set last_used_at = greatest(last_used_at, clock_timestamp()) where ${ofKeys} returning id
`;

const stillValid = `select id from service_keys where ${ofKeys}`;
