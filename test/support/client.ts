import { WebSocket } from 'ws';
import { checkFrame } from './conformance.ts';

/** A received frame, parsed. */
// biome-ignore lint/suspicious/noExplicitAny: tests read fields of any frame
export type Frame = any;

/** Milliseconds after which a missing frame fails the test. */
const PATIENCE = 15_000;

/** A plain WebSocket client, which sends raw frames and keeps received ones until the test takes them. */
export class Client {
  readonly socket: WebSocket;
  /** Resolves to the close code. */
  readonly closed: Promise<number>;
  #frames: Frame[] = [];
  #waiting: { matches: (frame: Frame) => boolean; resolve: (frame: Frame) => void }[] = [];
  #lastId = 0;

  /** `isService`: it has presented an API key. */
  constructor(socket: WebSocket, isService = false) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('error', () => {});
    socket.on('message', (data) => this.#receive(JSON.parse(String(data)), isService));
  }

  /** Sends a command and resolves to its reply or error. */
  call(type: string, params?: unknown, as?: unknown): Promise<Frame> {
    return this.reply(this.send(type, params, as));
  }

  /** Sends a command that must succeed, and resolves to the `params` of its reply. */
  async done(type: string, params?: unknown, as?: unknown): Promise<Frame> {
    const reply = await this.call(type, params, as);
    if (reply.error) throw new Error(`${type} was refused: ${reply.code}: ${reply.message}`);
    return reply.params;
  }

  /** Sends a command that must be refused, and resolves to the code. */
  async refused(type: string, params?: unknown, as?: unknown): Promise<string> {
    const reply = await this.call(type, params, as);
    if (!reply.error) throw new Error(`${type} was not refused`);
    return reply.code;
  }

  /** Sends a command, on a service connection as a user, without waiting; returns its id. */
  send(type: string, params?: unknown, as?: unknown): string {
    const id = `${++this.#lastId}`;
    this.socket.send(JSON.stringify({ type, params, id, as }));
    return id;
  }

  reply(id: string): Promise<Frame> {
    return this.next((frame) => frame.id === id, `a reply to request ${id}`);
  }

  /** Resolves to the next push of a type. */
  push(type: string): Promise<Frame> {
    return this.next((frame) => frame.type === type && frame.success && !('id' in frame), `a push ${type}`);
  }

  /** Resolves to the first frame that matches, received already or later. */
  next(
    matches: (frame: Frame) => boolean = () => true,
    what = 'a frame',
    patience = PATIENCE,
  ): Promise<Frame> {
    const index = this.#frames.findIndex(matches);
    if (index >= 0) return Promise.resolve(this.#frames.splice(index, 1)[0]);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${what} did not arrive`)), patience);
      void this.closed.then(() => timer.unref()); // nothing arrives any more, and nobody may be waiting
      this.#waiting.push({
        matches,
        resolve(frame) {
          clearTimeout(timer);
          resolve(frame);
        },
      });
    });
  }

  /** Resolves to all frames that the test has not taken, once everything sent so far has been answered. */
  async rest(): Promise<Frame[]> {
    await this.call('listLastMessage', { limit: 1 });
    return this.#frames.splice(0);
  }

  async close(): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }

  #receive(frame: Frame, isService: boolean): void {
    checkFrame(frame, isService);
    const index = this.#waiting.findIndex(({ matches }) => matches(frame));
    if (index === -1) this.#frames.push(frame);
    else this.#waiting.splice(index, 1)[0]?.resolve(frame);
  }
}

/** Opens a connection with the token in the `Authorization` header; rejects with the HTTP status of a refusal. */
export function connect(url: string, token: string): Promise<Client> {
  const headers = { authorization: `Bearer ${token}` };
  return open(new WebSocket(url.replace('http', 'ws'), { headers }), token.startsWith('pk_'));
}

/** Resolves when the socket is open; rejects with {@link Refused} when the upgrade is. */
export function open(socket: WebSocket, isService = false): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new Client(socket, isService);
    socket.on('open', () => resolve(client));
    socket.on('unexpected-response', (_, response) => reject(new Refused(response.statusCode ?? 0)));
    socket.on('error', reject);
  });
}

export class Refused extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`The upgrade was answered ${status}`);
    this.status = status;
  }
}
