import { SCOPES, type Scope } from '../auth/apiKeys.ts';
import { createKey, listKeys as list, revokeKey as revoke } from '../auth/serviceKeys.ts';
import type { KeyId } from '../ids.ts';
import { ApiError } from '../protocol/errors.ts';
import { Name } from '../protocol/schema/types.ts';
import { compileValidator } from '../protocol/validator.ts';
import { type Action, UsageError } from './define.ts';

export const createApiKey: Action = async ([name = '', scopes = ''], _, { db }) => {
  const checked = argumentsOf({ name: name.normalize('NFC') }) as { name: string };
  return createKey(db, checked.name, scopesIn(scopes));
};

export const listApiKeys: Action = (_, __, { db }) => list(db);

export const revokeApiKey: Action = async ([id = ''], _, { db }) => {
  const revoked = /^[1-9]\d{0,14}$/.test(id) ? await revoke(db, Number(id) as KeyId) : undefined;
  if (!revoked) throw new ApiError('NOT_FOUND', `There is no key ${id}`);
  return revoked;
};

const argumentsOf = compileValidator(
  { type: 'object', properties: { name: Name(1, 100, 'Name of the key') }, required: ['name'] },
  'arguments',
);

/** Returns the scopes in a list separated by commas, each once. */
function scopesIn(list: string): Scope[] {
  const known = Object.keys(SCOPES);
  const scopes = new Set(list.split(',').map((scope) => scope.trim()));
  const unknown = [...scopes].find((scope) => !known.includes(scope));
  if (unknown !== undefined)
    throw new UsageError(
      `There is no scope "${unknown}"; expected one or more of ${known.join(', ')}, separated by commas`,
    );
  return [...scopes] as Scope[];
}
