import type { Socket } from 'node:net';

/** Limits of the line: bytes per second, and milliseconds between two chunks, of what comes back on a connection. */
export interface Line {
  readonly rate: number;
  readonly pause: number;
}

/** A fault at the next place in the traffic that contains a text. */
export interface Fault {
  readonly kind: 'loseAnswer' | 'holdAnswer' | 'cutRequest' | 'cutAnswer';
  readonly text: string;
  /** A text that has passed before, within the same transaction. */
  readonly within: string | undefined;
  /** Called when it happens. */
  readonly happened: (release: () => void) => void;
}

/** The part that all connections of a relay share. */
interface Shared {
  readonly isHeld: boolean;
  takeFault(chunk: Buffer, transaction: readonly Buffer[], ...kinds: Fault['kind'][]): Fault | undefined;
  takeAllowed(chunk: Buffer): Buffer;
  cutIfUsedUp(): void;
}

/** A connection of a client, and the one to the target that belongs to it. */
export class RelayConnection {
  /** True: what comes back is dropped. */
  isMute = false;
  readonly #relay: Shared;
  readonly #client: Socket;
  readonly #target: Socket;
  readonly #line: Line;
  /** The fault of the next answer. */
  #fault: Fault | undefined;
  /** The requests since the beginning of the present transaction. */
  #transaction: Buffer[] | undefined;
  /** Answers that are held, in order; undefined while none are. */
  #held: Buffer[] | undefined;

  constructor(relay: Shared, client: Socket, target: Socket, line: Line, closed: () => void) {
    this.#relay = relay;
    this.#client = client;
    this.#target = target;
    this.#line = line;
    client.on('data', (chunk: Buffer) => this.#request(chunk));
    target.on('data', (chunk: Buffer) => this.#answer(chunk));
    for (const socket of [client, target])
      socket
        .on('error', () => {})
        .on('close', () => {
          this.destroy();
          closed();
        });
    if (relay.isHeld) this.pause();
  }

  destroy(): void {
    for (const socket of [this.#client, this.#target]) socket.destroy();
  }

  end(): void {
    for (const socket of [this.#client, this.#target]) socket.end();
  }

  pause(): void {
    for (const socket of [this.#client, this.#target]) socket.pause();
  }

  resume(): void {
    for (const socket of [this.#client, this.#target]) socket.resume();
  }

  #request(chunk: Buffer): void {
    const transaction = this.#transaction ?? [];
    const cut = this.#relay.takeFault(chunk, transaction, 'cutRequest');
    if (cut) return this.#cutBefore(cut, chunk, this.#target);
    this.#fault ??= this.#relay.takeFault(chunk, transaction, 'loseAnswer', 'holdAnswer');
    if (chunk.includes('START TRANSACTION')) this.#transaction = [];
    else if (chunk.includes('COMMIT') || chunk.includes('ROLLBACK')) this.#transaction = undefined;
    this.#transaction?.push(chunk);
    this.#target.write(chunk);
  }

  #answer(chunk: Buffer): void {
    if (this.isMute) return;
    const fault = this.#fault ?? this.#relay.takeFault(chunk, [], 'cutAnswer');
    this.#fault = undefined;
    if (fault?.kind === 'cutAnswer') return this.#cutBefore(fault, chunk, this.#client);
    if (fault?.kind === 'loseAnswer') return this.#lose(fault);
    if (fault) this.#hold(fault);
    if (this.#held) this.#held.push(chunk);
    else this.#pass(chunk);
  }

  #lose({ happened }: Fault): void {
    this.destroy();
    happened(() => {});
  }

  #hold({ happened }: Fault): void {
    const held: Buffer[] = [];
    this.#held = held;
    happened(() => {
      this.#held = undefined;
      for (const chunk of held) this.#pass(chunk);
    });
  }

  /** Sends what precedes the text of a fault, and ends both connections. */
  #cutBefore({ text, happened }: Fault, chunk: Buffer, to: Socket): void {
    const part = chunk.subarray(0, chunk.indexOf(text));
    for (const socket of [this.#client, this.#target]) socket.removeAllListeners('data');
    to.end(part, () => {
      this.destroy();
      happened(() => {});
    });
  }

  #pass(chunk: Buffer): void {
    this.#client.write(this.#relay.takeAllowed(chunk));
    this.#relay.cutIfUsedUp();
    // The next chunk is read when this one would have passed the line.
    const { rate, pause } = this.#line;
    const wait = (chunk.length / rate) * 1000 + pause;
    if (wait <= 0) return;
    this.#target.pause();
    setTimeout(() => {
      if (!this.#relay.isHeld) this.#target.resume();
    }, wait);
  }
}
