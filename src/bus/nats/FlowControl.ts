import type { Guard } from '../../net/guard.ts';
import type { NodeMessage } from '../bus.ts';
import type { Topic } from '../topics.ts';
import type { NatsLink } from './link.ts';
import type { OutgoingStream } from './OutgoingStream.ts';
import type { PeerMessage } from './peerMessages.ts';
import type { Sender } from './sender.ts';

/** Bytes after which NATS is asked to confirm. */
const FLUSH_BYTES = 1024 * 1024;
/** Bytes that may wait to be confirmed before publications that are kept wait here, and transient ones are dropped. */
const WINDOW_BYTES = 4 * 1024 * 1024;
/** Bytes of publications that are sent in one go, which takes a few milliseconds. */
const SLICE_BYTES = 256 * 1024;

/** Dependencies of a {@link FlowControl}. */
export interface FlowOptions {
  readonly link: Pick<NatsLink, 'isUp' | 'inFlight' | 'unflushed' | 'flush'>;
  readonly sender: Pick<Sender, 'add' | 'send' | 'waiting'>;
  readonly stream: OutgoingStream;
  /** Sends an announcement to all nodes. */
  readonly announce: (message: PeerMessage) => void;
  /** Sends a beat, which nodes wait for. */
  readonly beat: () => void;
}

/** Sends as much as NATS confirms in time, and as fits between two other things that this node has to do. */
export class FlowControl {
  readonly #options: FlowOptions;
  readonly #continue: () => void;
  #isContinued = false;
  #isMakingRoom = false;

  constructor(options: FlowOptions, guard: Guard) {
    this.#options = options;
    this.#continue = guard('sending what waits for NATS', () => {
      this.#isContinued = false;
      this.pump();
    });
  }

  /** True if what is not kept may be sent. */
  get hasRoom(): boolean {
    const { link, sender } = this.#options;
    return link.inFlight + sender.waiting < WINDOW_BYTES;
  }

  /** Sends a message at once. Returns about how many bytes it takes; 0 while the connection is down. */
  send(topic: Topic, message: NodeMessage): number {
    const { link, sender } = this.#options;
    if (!link.isUp) return 0;
    const bytes = sender.add(topic, message);
    if (link.unflushed > FLUSH_BYTES) void this.#makeRoom();
    return bytes;
  }

  /** Sends the publications of the stream that wait, and the beat that nodes wait for behind them. */
  pump(): void {
    const { link, stream, beat } = this.#options;
    if (this.#isContinued || !link.isUp) return;
    this.#sendSlice(SLICE_BYTES);
    if (!link.isUp) return;
    if (!stream.hasUnsent) {
      if (stream.owesBeat) beat();
    } else if (this.hasRoom) {
      this.#isContinued = true;
      setImmediate(this.#continue);
    } else {
      void this.#makeRoom();
    }
  }

  /** Sends all publications of the stream that wait, however long it takes. */
  sendAll(): void {
    this.#skipGap();
    while (this.#options.link.isUp && this.#options.stream.hasUnsent) this.#sendNext();
  }

  #sendSlice(maxBytes: number): void {
    this.#skipGap();
    let bytes = 0;
    while (this.#options.link.isUp && this.#options.stream.hasUnsent && bytes < maxBytes && this.hasRoom)
      bytes += this.#sendNext();
  }

  #sendNext(): number {
    const next = this.#options.stream.shift();
    return next ? this.send(next.topic, next.message) : 0;
  }

  #skipGap(): void {
    const start = this.#options.stream.skipGap();
    if (start) this.#options.announce(start);
  }

  /** Has NATS confirm what is in flight, then sends what waits. */
  async #makeRoom(): Promise<void> {
    if (this.#isMakingRoom) return;
    this.#isMakingRoom = true;
    const { link, sender } = this.#options;
    sender.send();
    await link.flush();
    this.#isMakingRoom = false;
    this.pump();
  }
}
