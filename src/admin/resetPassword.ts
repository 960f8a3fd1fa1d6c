import { randomBytes } from 'node:crypto';
import { revokeTokens } from '../accounts/revocation.ts';
import { isCommonPassword } from '../auth/commonPasswords.ts';
import { Password } from '../protocol/schema/accounts.ts';
import { compileValidator } from '../protocol/validator.ts';
import { type Action, UsageError } from './define.ts';
import { find, shown } from './users.ts';

export const resetPassword: Action = async ([name = ''], { password: chosen }, services) => {
  const password = chosen === undefined ? randomBytes(12).toString('base64url') : String(chosen);
  const { password: checked } = passwordOption({ password }) as { password: string };
  if (isCommonPassword(checked)) throw new UsageError('--password is one of the most common ones');
  const user = await find(services.db, name);
  if (user.externalId !== null)
    throw new UsageError(`${name} connects with tokens of the host, and has no password`);
  await revokeTokens(user.id, services, { passwordHash: await services.passwords.hash(checked, '') });
  return { ...shown(user), ...(chosen === undefined && { password }) };
};

const passwordOption = compileValidator(
  { type: 'object', properties: { password: Password }, required: ['password'] },
  'options',
);
