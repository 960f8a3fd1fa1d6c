import { Type } from 'typebox';
import { disableAccount } from '../../accounts/revocation.ts';
import { existingUsers } from '../../accounts/userReferences.ts';
import { UserReferences } from '../../protocol/schema/service.ts';
import { Empty } from '../../protocol/schema/types.ts';
import { defineServiceCommand } from './define.ts';

export const disableUsers = defineServiceCommand({
  type: 'disableUsers',
  summary: 'Disable up to 100 accounts: close their connections, and refuse all their tokens',
  description:
    'The connections close with 4401 on every node within a second. Operators enable an account again with `admin user enable`. If one of the accounts does not exist or is deleted, nothing is changed. The accounts are disabled one after another; after another error, some may be disabled already: send it again.',
  params: Type.Object({ users: UserReferences }),
  result: Empty,
  scope: 'users',
  repeatable: true,
  cost: 20,
  errors: ['NOT_FOUND'],
  async handle({ users }, context) {
    for (const id of await existingUsers(context.db, users)) await disableAccount(id, context);
    return {};
  },
});
