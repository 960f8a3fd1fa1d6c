import { Type } from 'typebox';
import type { Fields } from '../frames.ts';
import { described, Id, Nullable, Seq, Time } from './types.ts';

/* What the service commands about events take and give. */

/** The types of events. */
export const EVENT_TYPES = [
  'message',
  ...(['edit', 'deletion', 'reaction', 'pin'] as const),
  ...(['groupCreated', 'groupChanged', 'groupDeleted'] as const),
  ...(['memberAdded', 'memberRemoved', 'memberRole'] as const),
  ...(['userCreated', 'userUpdated', 'userDisabled', 'userEnabled', 'userDeleted'] as const),
  'report',
] as const;

export const EventType = Type.Enum(EVENT_TYPES, { title: 'EventType', description: 'The kind of the event' });
export type EventType = (typeof EVENT_TYPES)[number];

/** The types of events to return. */
export const EventTypes = Type.Optional(
  Type.Array(EventType, {
    minItems: 1,
    maxItems: EVENT_TYPES.length,
    uniqueItems: true,
    description: 'Only events of these types. Default: all',
  }),
);

/** The name under which a backend reads events. */
export const Consumer = Type.String({
  title: 'Consumer',
  minLength: 1,
  maxLength: 64,
  pattern: '^[A-Za-z0-9_.-]+$',
  description: 'A name that you choose for what processes the events: letters, digits, `_`, `.` and `-`',
});

/** A place in the list of events, as text. */
export const EventCursor = Type.String({
  title: 'EventCursor',
  minLength: 1,
  maxLength: 16_384,
  description: 'nextCursor of a page or of a batch of events',
});

/** Something that was committed and that others could see. */
export const Event = Type.Object(
  {
    eventId: Type.String({ description: 'Unique among all events' }),
    type: EventType,
    time: described(Time, 'When it happened'),
    groupId: Type.Optional(described(Id.group, 'The group in which it happened')),
    userIds: Type.Optional(
      Type.Array(Id.user, {
        description: 'The two people of the dialog in which it happened, the lower id first',
      }),
    ),
    seq: Nullable(described(Seq, 'The message; null for an event about a user')),
    command: Nullable(
      Type.String({
        description: 'The type of the push that the members of the chat get; null if there is none',
      }),
    ),
    state: Type.Unsafe<Fields>(
      Type.Object(
        {},
        {
          description:
            'The params of that push; of an event about a user the profile, of a report the report. In the present state: a message that was deleted since has no content',
        },
      ),
    ),
  },
  { title: 'Event', description: 'An event' },
);
