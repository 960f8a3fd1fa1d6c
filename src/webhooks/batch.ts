import { createHash } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { Event } from '../events/read.ts';
import type { WebhookId } from '../ids.ts';

/** A batch of events as it is posted. */
export interface Batch {
  /** The header `webhook-id`. */
  readonly id: string;
  readonly body: string;
}

/**
 * Returns the batch of some events for an endpoint. Its id is that of these events: it is the same for each attempt, on
 * every node, and of no other events, so that a receiver that knows it may ignore the batch. After a replay ids are new,
 * because then the events are wanted again.
 */
export function batchOf(
  { id, replays }: { readonly id: WebhookId; readonly replays: number },
  events: readonly Event[],
): Batch {
  const hash = createHash('sha256').update(
    JSON.stringify([id, replays, events.map(({ eventId, time }) => [eventId, time])]),
  );
  const timestamp = events.at(-1)?.time;
  return {
    id: `msg_${hash.digest('base64url').slice(0, 32)}`,
    body: JSON.stringify({ type: 'events', timestamp, data: { events } }),
  };
}

/** Returns the headers of an attempt at a time, signed as in https://www.standardwebhooks.com. */
export function headersOf({ id, body }: Batch, secret: string, time: Date): Record<string, string> {
  return {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': 'Parley',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(time.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, time, body),
  };
}
