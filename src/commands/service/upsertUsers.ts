import { Type } from 'typebox';
import { upsertAccount } from '../../accounts/upsertAccount.ts';
import { ROWS } from '../../protocol/cursor.ts';
import { AccountOfHost, ServiceUser } from '../../protocol/schema/service.ts';
import { defineServiceCommand } from './define.ts';
import { readServiceUsers } from './serviceUsers.ts';

export const upsertUsers = defineServiceCommand({
  type: 'upsertUsers',
  summary: 'Create or change up to 100 accounts by their ids at the host',
  description:
    'Accounts that are created have no password: their users connect with tokens of the host, or of `createToken`. Changes are pushed as if the users had made them. Deleted accounts stay deleted: their rows have `deletedAt`. The accounts are changed one after another; after an error, some may be changed already: send it again.',
  params: Type.Object({ users: Type.Array(AccountOfHost, { minItems: 1, maxItems: 100 }) }),
  result: Type.Object({ data: Type.Array(ServiceUser, ROWS) }),
  scope: 'users',
  repeatable: true,
  cost: 20,
  errors: [],
  async handle({ users }, context) {
    for (const user of users) await upsertAccount(context, user);
    return {
      data: await readServiceUsers(
        context.db,
        users.map(({ externalId }) => ({ externalId })),
      ),
    };
  },
});
