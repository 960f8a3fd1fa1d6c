import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as later } from 'node:timers/promises';
import { server } from '../support/harness.ts';

/** Milliseconds after which missing bytes fail the test. */
const PATIENCE = 5_000;

/** A TCP connection to the server, for bytes that no client library would send. */
export class RawSocket {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  /** Resolves when the server or a reset ends it. */
  readonly closed: Promise<unknown>;

  constructor(port = server.port) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setNoDelay(true);
    this.socket.on('error', () => {});
    this.socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
    this.closed = new Promise((resolve) => this.socket.once('close', resolve));
  }

  /** Resolves to the value that `read` finds in the received bytes; rejects at their end, or after a timeout. */
  async until<Found>(read: (bytes: Buffer) => Found | undefined, what: string): Promise<Found> {
    const impatient = AbortSignal.timeout(PATIENCE);
    for (;;) {
      const found = read(this.received);
      if (found !== undefined) return found;
      if (this.socket.closed) throw new Error(`the server closed instead of ${what}: ${this.received}`);
      const more = once(this.socket, 'data', { signal: impatient });
      await Promise.race([more, this.closed]).catch(() => {
        throw new Error(`${what} did not arrive: ${this.received}`);
      });
      more.catch(() => {});
    }
  }

  /** Resolves to the bytes received until the server closed. */
  async ended(): Promise<Buffer> {
    const patience = new AbortController();
    const late = later(PATIENCE, 'late', { signal: patience.signal });
    late.catch(() => {});
    const first = await Promise.race([this.closed, late]);
    patience.abort();
    this.socket.destroy();
    if (first === 'late') throw new Error('the server did not close');
    return this.received;
  }
}

/** Returns the head of an upgrade with these header lines besides the required ones. */
export const upgradeRequest = (lines: readonly string[], path = '/'): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\n${lines.map((line) => `${line}\r\n`).join('')}` +
  'Upgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

/** A WebSocket for which the test sends every byte after the upgrade. */
export async function openRawWebSocket(token: string): Promise<RawSocket> {
  const raw = new RawSocket();
  raw.socket.write(upgradeRequest([`Authorization: Bearer ${token}`]));
  const end = await raw.until((bytes) => endOfHead(bytes), 'the upgrade');
  raw.received = raw.received.subarray(end);
  return raw;
}

const endOfHead = (bytes: Buffer): number | undefined => {
  const at = bytes.indexOf('\r\n\r\n');
  return at < 0 ? undefined : at + 4;
};

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameParts {
  readonly payload: Buffer;
  readonly opcode?: number;
  readonly fin?: boolean;
  /** Three bits. */
  readonly reserved?: number;
  readonly masked?: boolean;
  /** The length in the header, if it is a wrong one. */
  readonly length?: number;
}

/** Returns a frame of a client, valid by RFC 6455 (section 5.2) or not. */
export function clientFrame({
  payload,
  opcode = Opcode.text,
  fin = true,
  reserved = 0,
  masked = true,
  length = payload.length,
}: FrameParts): Buffer {
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  if (!masked) return Buffer.concat([head, payload]);
  const mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
  return Buffer.concat([head, mask, payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0))]);
}

export interface ServerFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** Returns the complete frames of a server in these bytes. */
export function serverFrames(bytes: Buffer): ServerFrame[] {
  const frames: ServerFrame[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const short = (bytes[at + 1] ?? 0) & 0x7f;
    const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
    if (start > bytes.length) break;
    const length =
      short < 126
        ? short
        : short === 126
          ? bytes.readUInt16BE(at + 2)
          : Number(bytes.readBigUInt64BE(at + 2));
    if (start + length > bytes.length) break;
    frames.push({ opcode: (bytes[at] ?? 0) & 0x0f, payload: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return frames;
}

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Returns the HTTP answer at the start of these bytes, once it is complete. */
export function readAnswer(bytes: Buffer, withoutBody = false): RawAnswer | undefined {
  const start = endOfHead(bytes);
  if (start === undefined) return undefined;
  const [line = '', ...lines] = bytes.subarray(0, start).toString('latin1').trimEnd().split('\r\n');
  const headers = Object.fromEntries(
    lines.map((header) => {
      const colon = header.indexOf(':');
      return [header.slice(0, colon).toLowerCase(), header.slice(colon + 1).trim()];
    }),
  );
  const length = withoutBody ? 0 : Number(headers['content-length'] ?? 0);
  if (bytes.length < start + length) return undefined;
  const body = bytes.subarray(start, start + length).toString();
  return { status: Number(line.split(' ')[1]), headers, body };
}
