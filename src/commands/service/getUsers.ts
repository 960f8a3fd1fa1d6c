import { Type } from 'typebox';
import { ROWS } from '../../protocol/cursor.ts';
import { ServiceUser, UserReferences } from '../../protocol/schema/service.ts';
import { defineServiceRead } from './define.ts';
import { readServiceUsers } from './serviceUsers.ts';

export const getUsers = defineServiceRead({
  type: 'getUsers',
  summary: 'Read up to 100 accounts, also disabled and deleted ones; those that do not exist are left out',
  params: Type.Object({ users: UserReferences }),
  result: Type.Object({ data: Type.Array(ServiceUser, ROWS) }),
  scope: 'users',
  cost: 2,
  errors: [],
  async handle({ users }, { db }) {
    return { data: await readServiceUsers(db, users) };
  },
});
