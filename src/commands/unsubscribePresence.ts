import { Type } from 'typebox';
import { UserIds } from '../protocol/schema/types.ts';
import { defineCommand } from './define.ts';

export const unsubscribePresence = defineCommand({
  type: 'unsubscribePresence',
  summary: 'Not be told any more when users come and go',
  params: Type.Object({ userIds: Type.Optional({ ...UserIds, description: 'Left out: everybody' }) }),
  result: Type.Object({}),
  errors: [],
  isLocal: true,
  async handle({ userIds }, { origin, presence }) {
    presence.unsubscribe(origin, userIds);
    return {};
  },
});
