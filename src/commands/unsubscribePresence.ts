import { Type } from 'typebox';
import { described, Empty, UserIds } from '../protocol/schema/types.ts';
import { defineLocal } from './define.ts';

export const unsubscribePresence = defineLocal({
  type: 'unsubscribePresence',
  summary: 'End subscriptions to the presence of users',
  params: Type.Object({
    userIds: Type.Optional(described(UserIds, 'Default: all subscribed users')),
  }),
  result: Empty,
  reads: false,
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 1,
  isOfConnection: true,
  errors: [],
  async handle({ userIds }, { origin, presence }) {
    presence.unsubscribe(origin, userIds);
    return {};
  },
});
