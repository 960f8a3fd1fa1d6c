import { Type } from 'typebox';
import { Consumer, Event, EventCursor, EventTypes } from '../../protocol/schema/events.ts';
import { Empty, Nullable } from '../../protocol/schema/types.ts';
import { defineServiceCommand } from './define.ts';

export const subscribeEvents = defineServiceCommand({
  type: 'subscribeEvents',
  summary: 'Push the events to this connection, in batches, as a named consumer',
  description:
    'The pushes begin after the last acknowledgeEvents of the consumer; those of a new consumer with what is committed from now on. One connection on all nodes serves a consumer: another one is refused with CONFLICT, and may try again after retryAfter seconds, until the first one has closed, or its node has died. At most four batches wait for acknowledgeEvents. What is not acknowledged when the connection closes is pushed again to the next one. Subscribing again on the same connection begins again after the last acknowledgement. If the cursor of the consumer is too old, or the database was restored, CONFLICT says so: acknowledge a cursor of listEvents first.',
  params: Type.Object({ consumer: Consumer, types: EventTypes }),
  result: Empty,
  push: {
    summary: 'Events for a consumer, or the end of its subscription',
    fields: Type.Object({
      senderName: Type.Null({ description: 'Always null' }),
      consumer: Consumer,
      data: Type.Array(Event, { description: 'The events; none at the end of the subscription' }),
      nextCursor: Nullable(EventCursor, 'For acknowledgeEvents; null at the end of the subscription'),
      reason: Nullable(
        Type.String({ description: 'null, or why the subscription has ended. Subscribe again to continue' }),
      ),
    }),
  },
  scope: 'events',
  repeatable: true,
  cost: 10,
  errors: ['CONFLICT'],
  async handle({ consumer, types }, { connectionEvents }) {
    await connectionEvents.subscribe(consumer, types);
    return {};
  },
});
