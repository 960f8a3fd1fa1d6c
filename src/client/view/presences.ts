import type { SendRequest } from '../calls.ts';
import type { Presence } from '../commands.ts';
import { MAX_USERS, subscribeAll } from '../PresenceSubscriptions.ts';
import type { ViewedClient } from './Context.ts';
import { type Observable, Store } from './Store.ts';

/** Returns a function that returns the presence of a user. Its first call for a user subscribes to the presence. */
export function createPresences(
  client: Pick<ViewedClient, 'on'>,
  retry: SendRequest,
): (userId: number) => Observable<Presence | undefined> {
  const stores = new Map<number, Store<Presence | undefined>>();
  const presences = new Map<number, Presence>();
  const requested: number[] = [];

  client.on('subscribePresence', update);
  return (userId) => {
    const known = stores.get(userId);
    if (known) return known;
    const store = new Store(() => presences.get(userId));
    stores.set(userId, store);
    if (requested.length === 0) queueMicrotask(subscribe);
    requested.push(userId);
    return store;
  };

  function subscribe(): void {
    // Refused for more users than a connection may subscribe to: their presence stays unknown.
    while (requested.length > 0) subscribeAll(retry, requested.splice(0, MAX_USERS), update).catch(() => {});
  }

  function update({ userId, online, lastSeenAt }: Presence): void {
    presences.set(userId, { userId, online, lastSeenAt });
    stores.get(userId)?.changed();
  }
}
