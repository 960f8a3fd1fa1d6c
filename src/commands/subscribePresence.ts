import { Type } from 'typebox';
import { ROWS } from '../protocol/cursor.ts';
import { Presence } from '../protocol/schema/people.ts';
import { UserIds } from '../protocol/schema/types.ts';
import { defineCommand } from './define.ts';

export const subscribePresence = defineCommand({
  type: 'subscribePresence',
  summary: 'Subscribe this connection to the presence of users, and read their present state',
  description:
    'The subscription ends with the connection. A connection can subscribe to at most 1,000 users. A reconnect within seconds is not a change. While one of the two users has blocked the other, the user appears offline. If the beginning of a block, or the end of the last one, changes what is visible, the change is pushed.',
  params: Type.Object({ userIds: UserIds }),
  result: Type.Object({ data: Type.Array(Presence, ROWS) }),
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 1,
  isOfConnection: true,
  errors: ['CONFLICT'],
  push: { summary: 'The presence of a subscribed user changed', fields: Presence },
  async handle({ userIds }, { session, origin, presence }) {
    return { data: await presence.subscribe(session.userId, origin, userIds) };
  },
});
