import type { SendRequest } from './calls.ts';
import type { CommandName, Push, Result } from './protocol.ts';

/** Users that one command may subscribe to. */
export const MAX_USERS = 100;

/** Keeps the users whose presence this client subscribed to: a subscription ends with its connection. */
export class PresenceSubscriptions {
  readonly #userIds = new Set<number>();

  /** Processes a command of this client that succeeded. */
  done(type: CommandName, { userIds }: { readonly userIds?: readonly number[] }): void {
    if (type === 'subscribePresence') for (const userId of userIds ?? []) this.#userIds.add(userId);
    if (type === 'unsubscribePresence')
      for (const userId of userIds ?? this.#userIds) this.#userIds.delete(userId);
  }

  /** Subscribes again over a new connection, and publishes the present state of each user. */
  renew(request: SendRequest, publish: (push: Push) => void): Promise<void> {
    return subscribeAll(request, [...this.#userIds], (state) =>
      publish({
        type: 'subscribePresence',
        params: { data: null, message: null, senderName: '', ...state },
      }),
    );
  }
}

/** Subscribes to the presence of any number of users. Passes each state on, in its place among the frames. */
export async function subscribeAll(
  request: SendRequest,
  userIds: number[],
  take: (state: Result<'subscribePresence'>['data'][number]) => void,
): Promise<void> {
  while (userIds.length > 0)
    await request('subscribePresence', { userIds: userIds.splice(0, MAX_USERS) }, ({ data }) =>
      data.forEach(take),
    );
}
