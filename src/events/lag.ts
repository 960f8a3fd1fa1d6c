import type { EventType } from '../protocol/schema/events.ts';
import { storedCursor } from './consumers.ts';
import type { EventCursor } from './cursor.ts';
import { type EventSource, listEvents } from './listEvents.ts';
import { InvalidCursorError, presentState } from './validCursor.ts';

/**
 * Returns the age in seconds of the oldest event, of these types or of all, after the stored cursor of a consumer: 0 if
 * there is none, null if events after the cursor are lost.
 */
export async function lagAfter(
  source: EventSource,
  stored: EventCursor,
  types?: readonly EventType[],
): Promise<number | null> {
  try {
    const { time } = await presentState(source.db);
    let cursor = await storedCursor(source, stored);
    for (;;) {
      const page = await listEvents(source, { cursor, types, limit: 1 });
      const [first] = page.events;
      if (first) return Math.max(0, Math.round((time - Date.parse(first.time)) / 1000));
      if (!page.more) return 0;
      cursor = page.nextCursor;
    }
  } catch (error) {
    if (error instanceof InvalidCursorError) return null;
    throw error;
  }
}
