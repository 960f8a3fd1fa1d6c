import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Fault, type Line, RelayConnection } from './RelayConnection.ts';

/**
 * A TCP relay between two parts, which can cut, slow and stop what passes. In the way of Toxiproxy
 * (https://github.com/Shopify/toxiproxy), it stands for the failpoints that others compile into their code (etcd: gofail,
 * TiKV: fail-rs, PostgreSQL: injection points): between two steps a node only ever waits for an answer of the database, of
 * NATS or of a client, so that an answer that is held keeps it exactly there ({@link Relay.holdAnswerTo}), and one that is
 * lost makes it fail there ({@link Relay.loseAnswerTo}).
 *
 * "Requests" go to the target of the relay, "answers" come back.
 */
export interface Relay {
  /** The URL through the relay. */
  readonly url: string;
  /** Cuts every connection and refuses new ones. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  /** Cuts every connection once this many more bytes have come back; new ones are accepted. */
  cutAfter(bytes: number): void;
  /** Passes nothing in either direction; the connections stay open, and so do new ones. */
  hold(): void;
  release(): void;
  /** Drops everything that comes back over the existing connections; requests still arrive. */
  mute(): void;
  /** Cuts every connection; new ones are accepted. */
  drop(): void;
  /** Ends what was begun: passes everything, and waits for no text any more. */
  reset(): Promise<void>;
  /**
   * Passes the next request that contains this text, and cuts its connection when the answer comes back, which
   * is lost; resolves then. With `within`, only in a transaction in which that text has passed before: other transactions
   * commit at any time, such as those of the search index.
   */
  loseAnswerTo(text: string, within?: string): Promise<void>;
  /**
   * Passes the next request that contains this text, and holds the answer and everything behind it on that connection.
   * Resolves when the answer is there, to the function that passes it on. `within` as with {@link loseAnswerTo}.
   */
  holdAnswerTo(text: string, within?: string): Promise<() => void>;
  /** Cuts the connection over which this text passes next, right before it: what precedes it arrives. Resolves then. */
  cutBefore(text: string, direction: 'request' | 'answer'): Promise<void>;
}

/**
 * With a `rate`, a number of bytes per second comes back over each connection; with a `pause`, only every so many
 * milliseconds, all in one chunk.
 */
export async function startRelay(
  targetUrl: string,
  { rate = Number.POSITIVE_INFINITY, pause = 0 }: { rate?: number; pause?: number } = {},
): Promise<Relay> {
  const relay = new TcpRelay(new URL(targetUrl), { rate, pause });
  await relay.restore();
  return relay;
}

class TcpRelay implements Relay {
  readonly #target: URL;
  readonly #line: Line;
  readonly #connections = new Set<RelayConnection>();
  /** Faults that have not happened yet, one of each kind. */
  readonly #faults = new Map<Fault['kind'], Fault>();
  #server: Server | undefined;
  #port = 0;
  #isHeld = false;
  #bytesLeft = Number.POSITIVE_INFINITY;

  constructor(target: URL, line: Line) {
    this.#target = target;
    this.#line = line;
  }

  get url(): string {
    return Object.assign(new URL(this.#target), { port: String(this.#port) }).href;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  async restore(): Promise<void> {
    const server = createServer((client) => this.#accept(client));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    const address = server.address();
    if (address && typeof address === 'object') this.#port = address.port;
  }

  async cut(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve));
    this.drop();
    await closed;
  }

  drop(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  cutAfter(bytes: number): void {
    this.#bytesLeft = bytes;
  }

  hold(): void {
    this.#isHeld = true;
    for (const connection of this.#connections) connection.pause();
  }

  release(): void {
    this.#isHeld = false;
    for (const connection of this.#connections) connection.resume();
  }

  async reset(): Promise<void> {
    this.#faults.clear();
    this.#bytesLeft = Number.POSITIVE_INFINITY;
    if (this.#isHeld) this.release();
    if (!this.#server?.listening) await this.restore();
  }

  mute(): void {
    for (const connection of this.#connections) connection.isMute = true;
  }

  async loseAnswerTo(text: string, within?: string): Promise<void> {
    await this.#expect('loseAnswer', text, within);
  }

  holdAnswerTo(text: string, within?: string): Promise<() => void> {
    return this.#expect('holdAnswer', text, within);
  }

  async cutBefore(text: string, direction: 'request' | 'answer'): Promise<void> {
    await this.#expect(direction === 'request' ? 'cutRequest' : 'cutAnswer', text);
  }

  /** Takes the fault of one of these kinds that a chunk causes, after the requests of its transaction. */
  takeFault(chunk: Buffer, transaction: readonly Buffer[], ...kinds: Fault['kind'][]): Fault | undefined {
    for (const kind of kinds) {
      const fault = this.#faults.get(kind);
      if (!fault || !chunk.includes(fault.text)) continue;
      const { within } = fault;
      if (within !== undefined && !transaction.some((request) => request.includes(within))) continue;
      this.#faults.delete(kind);
      return fault;
    }
    return undefined;
  }

  /** Returns the part of an answer that still comes back. */
  takeAllowed(chunk: Buffer): Buffer {
    const part = chunk.subarray(0, this.#bytesLeft);
    this.#bytesLeft -= part.length;
    return part;
  }

  /** Cuts every connection, behind what was written, once nothing may come back any more. */
  cutIfUsedUp(): void {
    if (this.#bytesLeft > 0) return;
    this.#bytesLeft = Number.POSITIVE_INFINITY;
    for (const connection of this.#connections) connection.end();
    setTimeout(() => this.drop(), 5);
  }

  #expect(kind: Fault['kind'], text: string, within?: string): Promise<() => void> {
    return new Promise((happened) => this.#faults.set(kind, { kind, text, within, happened }));
  }

  #accept(client: Socket): void {
    const target = connect(Number(this.#target.port), this.#target.hostname);
    const connection = new RelayConnection(this, client, target, this.#line, () =>
      this.#connections.delete(connection),
    );
    this.#connections.add(connection);
  }
}
