import type { LinkEvents, NatsLink } from '../../src/bus/nats/link.ts';

/** Stands in for a NATS server: carries what each link publishes to the others, in order, while both are up. */
export class MemoryHub {
  readonly #links = new Set<MemoryLink>();

  /** Opens a link that is up a moment later. */
  async open(events: LinkEvents): Promise<MemoryLink> {
    const link = new MemoryLink(this, events);
    this.#links.add(link);
    setImmediate(() => link.restore());
    return link;
  }

  carry(from: MemoryLink, subject: string, payload: Buffer): void {
    for (const link of this.#links) if (link !== from) setImmediate(() => link.arrive(subject, payload));
  }
}

/** A connection to a {@link MemoryHub}. */
export class MemoryLink implements NatsLink {
  readonly inFlight = 0;
  readonly unflushed = 0;
  readonly #hub: MemoryHub;
  readonly #events: LinkEvents;
  readonly #receivers = new Map<string, (payload: Buffer) => void>();
  #isUp = false;

  constructor(hub: MemoryHub, events: LinkEvents) {
    this.#hub = hub;
    this.#events = events;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  publish(subject: string, payload: Uint8Array | string): boolean {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : Buffer.from(payload);
    if (this.#isUp) this.#hub.carry(this, subject, bytes);
    return this.#isUp;
  }

  subscribe(subject: string, receive: (payload: Buffer) => void): () => void {
    this.#receivers.set(subject, receive);
    return () => this.#receivers.delete(subject);
  }

  async flush(): Promise<boolean> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.#isUp;
  }

  async close(): Promise<void> {
    this.#isUp = false;
  }

  /** Takes what another link published, unless this one is down. */
  arrive(subject: string, payload: Buffer): void {
    if (this.#isUp) this.#receivers.get(subject)?.(payload);
  }

  /** Breaks the connection. */
  cut(): void {
    this.#isUp = false;
    this.#events.disconnected();
  }

  /** Makes the connection again. */
  restore(): void {
    this.#isUp = true;
    this.#events.connected();
  }
}
