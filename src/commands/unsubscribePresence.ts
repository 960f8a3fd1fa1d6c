import { Type } from 'typebox';
import { UserIds } from '../protocol/schema/types.ts';
import { defineCommand } from './define.ts';

export const unsubscribePresence = defineCommand({
  type: 'unsubscribePresence',
  summary: 'End subscriptions to the presence of users',
  params: Type.Object({
    userIds: Type.Optional({ ...UserIds, description: 'Default: all subscribed users' }),
  }),
  result: Type.Object({}),
  errors: [],
  isLocal: true,
  async handle({ userIds }, { origin, presence }) {
    presence.unsubscribe(origin, userIds);
    return {};
  },
});
