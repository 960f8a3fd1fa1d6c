import { Type } from 'typebox';
import { type EventCursor as Cursor, decodeEventCursor, encodeEventCursor } from '../../events/cursor.ts';
import { cursorFromNow, listEvents as list } from '../../events/listEvents.ts';
import { Event, EventCursor, EventTypes } from '../../protocol/schema/events.ts';
import { described, IdOfGroup } from '../../protocol/schema/types.ts';
import { defineServiceRead } from './define.ts';

const DEFAULT_LIMIT = 100;

export const listEvents = defineServiceRead({
  type: 'listEvents',
  summary: 'Read what has happened in all chats, oldest first, from any place on',
  description:
    'While more is true, continue with nextCursor, even if the page is short; then keep nextCursor for later. Messages are there as far back as the database has them; their changes and the events of users for EVENT_DAYS of the server, for which cursors are valid as well. Each event is in the pages after a cursor once, and those of a chat are in their order. A cursor that is too old, or that has seen what the database has lost by a restore, is refused with CONFLICT.',
  params: Type.Object({
    cursor: Type.Optional(described(EventCursor, 'Where to continue. Default: the first event')),
    fromNow: Type.Optional(
      Type.Boolean({ description: 'True, without cursor: return only a cursor for later' }),
    ),
    types: EventTypes,
    groupId: Type.Optional(described(IdOfGroup, 'Only events of this group')),
    limit: Type.Optional(
      Type.Integer({
        ...{ minimum: 1, maximum: 1000, default: DEFAULT_LIMIT },
        description: 'Maximum number of events per page',
      }),
    ),
  }),
  result: Type.Object({
    data: Type.Array(Event, { description: 'The events of the page' }),
    nextCursor: described(EventCursor, 'cursor of the next page, or for later'),
    more: Type.Boolean({ description: 'True if there may be another page' }),
  }),
  scope: 'events',
  cost: 10,
  errors: ['CONFLICT'],
  async handle({ cursor, fromNow = false, limit = DEFAULT_LIMIT, ...filter }, { events }) {
    const { source, cursors } = events;
    const encode = (next: Cursor) => encodeEventCursor(cursors, next);
    const start = cursor === undefined ? undefined : decodeEventCursor(cursors, cursor);
    if (fromNow && !start) return { data: [], nextCursor: encode(await cursorFromNow(source)), more: false };
    const page = await list(source, { ...filter, limit, cursor: start });
    return { data: [...page.events], nextCursor: encode(page.nextCursor), more: page.more };
  },
});
