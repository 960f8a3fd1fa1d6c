import { Type } from 'typebox';
import { revokeTokens as revoke } from '../../accounts/revocation.ts';
import { existingUsers } from '../../accounts/userReferences.ts';
import { UserReferences } from '../../protocol/schema/service.ts';
import { Empty } from '../../protocol/schema/types.ts';
import { defineServiceCommand } from './define.ts';

export const revokeTokens = defineServiceCommand({
  type: 'revokeTokens',
  summary: 'Revoke all tokens of up to 100 users that were issued before, and close their connections',
  description:
    'The connections close with 4401 on every node within a second. If one of the accounts does not exist or is deleted, nothing is changed. After another error, the tokens of some may be revoked already.',
  params: Type.Object({ users: UserReferences }),
  result: Empty,
  scope: 'users',
  repeatable: false,
  cost: 20,
  errors: ['NOT_FOUND'],
  async handle({ users }, context) {
    for (const id of await existingUsers(context.db, users)) await revoke(id, context);
    return {};
  },
});
