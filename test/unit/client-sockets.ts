import type { Socket } from '../../src/client/options.ts';

export interface SentFrame {
  readonly type: string;
  readonly params?: Record<string, unknown>;
  readonly id: unknown;
}

/** A socket without a network: keeps the frames of the client, and receives those of the test. */
export class FakeSocket implements Socket {
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly sent: SentFrame[] = [];
  isClosed = false;

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.isClosed = true;
  }

  open(): void {
    this.onopen?.({} as never);
  }

  receive(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) } as never);
  }

  /** Ends the connection from the side of the server. */
  end(code = 1006): void {
    this.onclose?.({ code } as never);
  }

  /** Answers the request of a type that was sent last. */
  answer(type: string, params: object): void {
    const request = this.sent.findLast((frame) => frame.type === type);
    this.receive({ type, success: true, params, id: request?.id });
  }

  /** The types of the frames that were sent. */
  get types(): string[] {
    return this.sent.map(({ type }) => type);
  }
}
