/** Milliseconds in which something may still come that was said before somebody changed their name. */
const LATE = 60_000;

interface Named {
  readonly senderId: number;
  readonly senderName: string;
  readonly forwardedFrom?: number | null;
  readonly forwardedFromName?: string | null;
}

/** Names that people have since a moment ago: they hold against what comes with an older one. */
export class Names {
  readonly #names = new Map<number, { readonly name: string; readonly at: number }>();

  learn(userId: number, name: string): void {
    this.#names.set(userId, { name, at: Date.now() });
  }

  /** Returns the name of a user, who is said to have this one. */
  of(userId: number, said: string): string {
    const known = this.#names.get(userId);
    return known && Date.now() - known.at < LATE ? known.name : said;
  }

  /** Returns a message with the names that people have. */
  in<Message extends Named>(message: Message): Message {
    const { senderId, senderName, forwardedFrom, forwardedFromName } = message;
    const sender = this.of(senderId, senderName);
    const author = forwardedFrom ? this.of(forwardedFrom, forwardedFromName ?? '') : forwardedFromName;
    return { ...message, senderName: sender, ...(forwardedFrom && { forwardedFromName: author }) };
  }
}
