import type { Unsubscribe } from './Emitter.ts';
import type { ParleyError } from './errors.ts';
import type { Events } from './events.ts';
import type { Push } from './protocol.ts';

interface PushSource {
  on<Name extends 'push' | 'state'>(name: Name, listener: (event: Events[Name]) => void): Unsubscribe;
}

/**
 * Iterates over the pushes of a client from the first step on, until `end` returns an error. Throws that error unless
 * the client was closed by its owner.
 */
export async function* iteratePushes(
  client: PushSource,
  end: () => ParleyError | undefined,
): AsyncGenerator<Push, void, undefined> {
  const waiting: Push[] = [];
  let wake = () => {};
  const stops = [
    client.on('push', (push) => {
      waiting.push(push);
      wake();
    }),
    client.on('state', () => wake()),
  ];
  try {
    while (waiting.length > 0 || !end()) {
      const push = waiting.shift();
      if (push) yield push;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
    const error = end();
    if (error?.code !== 'CLOSED') throw error;
  } finally {
    for (const stop of stops) stop();
  }
}
