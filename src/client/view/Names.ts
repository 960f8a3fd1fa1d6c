/** Milliseconds in which a frame with the old name may still arrive after a user was renamed. */
const LATE = 60_000;

interface Named {
  readonly senderId: number;
  readonly senderName: string;
  readonly forwardedFrom?: number | null;
  readonly forwardedFromName?: string | null;
}

/** Keeps the names of users who were renamed a moment ago, because frames that are on the way have the old ones. */
export class Names {
  readonly #names = new Map<number, { readonly name: string; readonly at: number }>();

  /** Keeps the new name of a user. */
  learn(userId: number, name: string): void {
    this.#names.set(userId, { name, at: Date.now() });
  }

  /** Returns the name of a user to whom the server gave `received` as the name, now or some time ago. */
  of(userId: number, received: string): string {
    const known = this.#names.get(userId);
    return known && Date.now() - known.at < LATE ? known.name : received;
  }

  /** Returns a message with the present names of its sender and of the author of a forwarded one. */
  in<Message extends Named>(message: Message): Message {
    const { senderId, senderName, forwardedFrom, forwardedFromName } = message;
    return {
      ...message,
      senderName: this.of(senderId, senderName),
      ...(forwardedFrom && { forwardedFromName: this.of(forwardedFrom, forwardedFromName ?? '') }),
    };
  }
}
