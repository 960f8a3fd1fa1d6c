import { Type } from 'typebox';
import { ROWS } from '../protocol/cursor.ts';
import { Presence } from '../protocol/schema/people.ts';
import { UserIds } from '../protocol/schema/types.ts';
import { defineRead } from './define.ts';

export const getPresence = defineRead({
  type: 'getPresence',
  summary: 'Read the presence of up to 100 users',
  params: Type.Object({ userIds: UserIds }),
  result: Type.Object({ data: Type.Array(Presence, ROWS) }),
  cost: 1,
  errors: [],
  async handle({ userIds }, { session, presence }) {
    return { data: await presence.of(session.userId, userIds) };
  },
});
