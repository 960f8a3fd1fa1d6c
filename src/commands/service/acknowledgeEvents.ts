import { Type } from 'typebox';
import { decodeEventCursor } from '../../events/cursor.ts';
import { Consumer, EventCursor } from '../../protocol/schema/events.ts';
import { Empty } from '../../protocol/schema/types.ts';
import { defineServiceCommand } from './define.ts';

export const acknowledgeEvents = defineServiceCommand({
  type: 'acknowledgeEvents',
  summary: 'Confirm that a consumer has processed all events before a cursor',
  description:
    'Takes the nextCursor of a batch that was pushed to this connection, and includes the batches before it. NOT_FOUND: there is no such batch; it was pushed to an earlier connection, and is pushed again. While no connection serves the consumer, any cursor of listEvents is taken, from which the consumer then continues.',
  params: Type.Object({ consumer: Consumer, cursor: EventCursor }),
  result: Empty,
  scope: 'events',
  repeatable: true,
  cost: 1,
  errors: ['NOT_FOUND', 'CONFLICT'],
  async handle({ consumer, cursor }, { connectionEvents, events }) {
    await connectionEvents.acknowledge(consumer, decodeEventCursor(events.cursors, cursor));
    return {};
  },
});
