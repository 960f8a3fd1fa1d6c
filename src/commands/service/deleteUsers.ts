import { Type } from 'typebox';
import { deleteAccount } from '../../accounts/deleteAccount.ts';
import { existingUsers } from '../../accounts/userReferences.ts';
import { UserReferences } from '../../protocol/schema/service.ts';
import { Empty } from '../../protocol/schema/types.ts';
import { defineServiceCommand } from './define.ts';

export const deleteUsers = defineServiceCommand({
  type: 'deleteUsers',
  summary: 'Delete up to 100 accounts, as their users can',
  description:
    'Their messages remain under the name "Deleted user". They leave all their groups; if there are many, some of them after the reply. If one of the accounts does not exist, nothing is changed; those that are deleted already stay so. The accounts are deleted one after another; after another error, some may be deleted already: send it again.',
  params: Type.Object({ users: UserReferences }),
  result: Empty,
  scope: 'users',
  repeatable: true,
  cost: 20,
  errors: ['NOT_FOUND'],
  async handle({ users }, context) {
    const { db, deletions } = context;
    const ids = await existingUsers(db, users, { allowsDeleted: true });
    for (const id of ids) await deleteAccount(id, context);
    await Promise.all(ids.map((id) => deletions.leave(id)));
    return {};
  },
});
