import { Type } from 'typebox';
import { Presence } from '../protocol/schema/people.ts';
import { UserIds } from '../protocol/schema/types.ts';
import { defineCommand } from './define.ts';

export const subscribePresence = defineCommand({
  type: 'subscribePresence',
  summary: 'Be told on this connection when users come and go, and who is online now',
  description:
    'For as long as the connection lasts; at most 1,000 users per connection. A reconnect within seconds is no change. While one of the two has blocked the other, they are shown as offline; that, and how they are when the last block ends, is pushed where it is a change.',
  params: Type.Object({ userIds: UserIds }),
  result: Type.Object({ data: Type.Array(Presence) }),
  errors: ['CONFLICT'],
  push: { summary: 'Somebody this connection subscribed to came or went', fields: Presence },
  async handle({ userIds }, { session, origin, presence }) {
    return { data: await presence.subscribe(session.userId, origin, userIds) };
  },
});
