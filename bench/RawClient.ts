import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

const TEXT = 0x1;
const PING = 0x9;
const PONG = 0xa;
/** Bytes of a frame header including the mask, for payloads up to 64 KiB. */
const MAX_HEADER = 8;
const EMPTY: Buffer = Buffer.alloc(0);

/**
 * A WebSocket client (RFC 6455) with minimal cost, because it shares the cores with the measured server: frames are
 * written in batches with a zero mask, and received ones are skimmed, not parsed. It supports only what the server
 * sends: unfragmented text frames, pings and close.
 */
export class RawClient {
  readonly #socket: Socket;
  /** Called for each text frame with the buffer and the bounds of its payload. */
  onFrame: (buffer: Buffer, start: number, end: number) => void = () => {};
  onClose: () => void = () => {};
  #rest: Buffer = EMPTY;
  #outbox: string[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => this.onClose());
  }

  static open(port: number, token: string): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(
          `GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
            `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n` +
            `Authorization: Bearer ${token}\r\n\r\n`,
        );
      });
      socket.once('error', reject);
      let head = EMPTY;
      const onHead = (chunk: Buffer) => {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf('\r\n\r\n');
        if (end === -1) return;
        socket.off('data', onHead);
        if (!head.subarray(0, end).includes('101 Switching'))
          return reject(new Error(head.toString('latin1', 0, 30)));
        const client = new RawClient(socket);
        socket.on('data', (frames: Buffer) => client.#receive(frames));
        client.#receive(head.subarray(end + 4));
        resolve(client);
      };
      socket.on('data', onHead);
    });
  }

  /** Queues a text frame; frames queued within one turn of the event loop are sent with one write. */
  send(text: string): void {
    if (this.#outbox.length === 0) queueMicrotask(() => this.#flush());
    this.#outbox.push(text);
  }

  close(): void {
    this.#socket.destroy();
  }

  #flush(): void {
    const texts = this.#outbox;
    this.#outbox = [];
    this.#socket.write(maskedFrames(TEXT, texts));
  }

  #receive(chunk: Buffer): void {
    const buffer = joined(this.#rest, chunk);
    let at = 0;
    while (buffer.length - at >= 2) {
      let length = (buffer[at + 1] as number) & 0x7f;
      let start = at + 2;
      if (length === 126) {
        if (buffer.length < at + 4) break;
        length = buffer.readUInt16BE(start);
        start += 2;
      } else if (length === 127) {
        if (buffer.length < at + 10) break;
        length = Number(buffer.readBigUInt64BE(start));
        start += 8;
      }
      const end = start + length;
      if (buffer.length < end) break;
      this.#handle((buffer[at] as number) & 0x0f, buffer, start, end);
      at = end;
    }
    this.#rest = at === buffer.length ? EMPTY : buffer.subarray(at);
  }

  #handle(opcode: number, buffer: Buffer, start: number, end: number): void {
    if (opcode === TEXT) this.onFrame(buffer, start, end);
    else if (opcode === PING) this.#socket.write(maskedFrames(PONG, [buffer.toString('latin1', start, end)]));
  }
}

/** Returns the bytes of an incomplete frame with those that arrived after it. */
const joined = (rest: Buffer, chunk: Buffer): Buffer =>
  rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;

/**
 * Encodes final frames one after another. Frames of clients must be masked (section 5.3); a zero mask leaves the
 * payload unchanged.
 */
function maskedFrames(opcode: number, texts: readonly string[]): Buffer {
  let room = 0;
  for (const text of texts) room += MAX_HEADER + text.length * 3; // UTF-16 units take at most three bytes
  const frames = Buffer.allocUnsafe(room);
  let at = 0;
  for (const text of texts) {
    const length = Buffer.byteLength(text);
    frames[at++] = 0x80 | opcode;
    if (length < 126) frames[at++] = 0x80 | length;
    else {
      frames[at++] = 0x80 | 126;
      at = frames.writeUInt16BE(length, at);
    }
    at = frames.writeUInt32BE(0, at);
    at += frames.write(text, at);
  }
  return frames.subarray(0, at);
}
