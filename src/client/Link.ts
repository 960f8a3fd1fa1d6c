import { mayReconnect, UNAUTHORIZED } from '../protocol/closeCodes.ts';
import { createBackoff } from './backoff.ts';
import { isPassing, ParleyError } from './errors.ts';
import { Heartbeat } from './Heartbeat.ts';
import { callHttp } from './http.ts';
import { socketUrl } from './urls.ts';

/** The part of a WebSocket that the client uses; that of the platform and the one of the package `ws` have it. */
export interface Socket {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(): void;
}

export interface LinkOptions {
  /** The server: `https://chat.example.com`, or `ws://localhost:3000/ws`. */
  readonly url: string;
  /**
   * A token, or a function that returns a fresh one: called at first, and whenever the server refuses the last one. If
   * it rejects with a {@link ParleyError} that stays, such as `UNAUTHORIZED`, the client is closed with that; after any
   * other error the function is called again later.
   */
  readonly token: string | (() => string | Promise<string>);
  /** The name of this device in `listSessions`. */
  readonly device?: string;
  /** Opens a socket; by default the platform's, with the token as a subprotocol. */
  readonly open?: (url: string, token: string) => Socket;
  /** Milliseconds of silence after which the server is pinged; after twice as many the connection is dead. Default 15,000. */
  readonly heartbeat?: number;
}

export interface LinkListener {
  opened(): void;
  frame(text: string): void;
  /** The socket has closed; another one is tried. */
  lost(): void;
  /** No other one is tried. */
  gaveUp(error: ParleyError): void;
}

/** Milliseconds before the second attempt, and the longest. */
const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;
/** Failures from which the delays begin when the device wakes up: with 30 milliseconds. */
const WOKEN = -4;
/** Milliseconds that a socket may take to open, and twice those that a server may take to answer a device that woke up. */
const PATIENCE = 10_000;

/** Events after which the device may be back from sleep or from no network. */
const WAKING = ['online', 'pageshow', 'visibilitychange'];
/** Sent after silence: scripts in browsers do not see the pings of the WebSocket. */
const PING = '{"type":"ping","id":"ping"}';

/** The close code of a connection, or one that means the same, and the seconds to wait before the next one. */
type Ending = readonly [code: number, retryAfter: number];

/**
 * Keeps one socket to the server open: opens another one when it breaks, until it is closed, the server refuses every
 * token it can get, or closes with a code that forbids to connect again.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #listener: LinkListener;
  readonly #backoff = createBackoff(FIRST_DELAY, LONGEST_DELAY, 1);
  #closed = false;
  #token: string | undefined;
  /** The token that the server refused last. */
  #refused: string | undefined;
  /** The last close code. */
  #code = 0;
  #socket: Socket | undefined;
  /** Ends the open socket unless it answers a ping. */
  #test: (() => void) | undefined;
  /** Ends the wait for the next attempt. */
  #hurry: (() => void) | undefined;
  /** Ends the present socket as if it had broken. */
  #drop: ((code?: number) => void) | undefined;

  constructor(options: LinkOptions, listener: LinkListener) {
    this.#options = options;
    this.#listener = listener;
    socketUrl(options.url); // throws if it is not a URL
    for (const name of WAKING) globalThis.addEventListener?.(name, this.#wake);
    queueMicrotask(() => this.#run());
  }

  /** Sends over the open socket; without one, nothing happens. */
  send(text: string): void {
    this.#socket?.send(text);
  }

  /** Replaces the present socket by another one. */
  restart(): void {
    this.#drop?.();
  }

  /** Begins the delays again: the connection is of use. */
  proven(): void {
    this.#backoff.reset();
  }

  close(): void {
    this.#closed = true;
    for (const name of WAKING) globalThis.removeEventListener?.(name, this.#wake);
    this.#drop?.();
    this.#hurry?.();
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      let retryAfter = 0;
      try {
        retryAfter = await this.#connect();
      } catch (error) {
        if (error instanceof ParleyError && !isPassing(error.code)) {
          this.close();
          return this.#listener.gaveUp(error);
        }
      }
      if (mayReconnect(this.#code, true)) await this.#pause(retryAfter);
    }
  }

  /** Resolves when a connection has ended, or could not be opened, to the seconds that the server wants to be left alone. */
  async #connect(): Promise<number> {
    const { token: source } = this.#options;
    this.#token ??= typeof source === 'string' ? source : await source();
    if (this.#closed) return 0;
    const token = this.#token;
    if (!mayReconnect(this.#code, token !== this.#refused))
      throw new ParleyError(
        this.#code === UNAUTHORIZED ? 'UNAUTHORIZED' : 'FORBIDDEN',
        `The server refuses another connection (${this.#code})`,
      );
    const [code, retryAfter] = await this.#session(token);
    this.#code = code;
    if (code === UNAUTHORIZED) {
      this.#refused = token;
      this.#token = undefined;
    }
    return retryAfter;
  }

  /** Resolves when the socket has closed, or could not be opened. */
  #session(token: string): Promise<Ending> {
    return new Promise((resolve) => {
      const { url, device, open = openSocket, heartbeat: interval = 15_000 } = this.#options;
      const socket = open(socketUrl(url, device), token);
      const heartbeat = new Heartbeat();
      let timer = setTimeout(() => end(), PATIENCE);
      let test: ReturnType<typeof setTimeout> | undefined;

      const end = (code = 0) => {
        if (!socket.onclose) return; // it has ended before, and nothing of it is listened to
        const isOpen = this.#socket === socket;
        clearTimeout(timer);
        socket.onopen = socket.onmessage = socket.onclose = null; // an error after that has its empty listener
        this.#socket = this.#drop = this.#test = undefined;
        try {
          socket.close();
        } catch {
          // some cannot be closed before they are open
        }
        if (isOpen) this.#listener.lost();
        resolve(isOpen || this.#closed ? [code, 0] : this.#probe(token));
      };
      const beat = () => {
        timer = setTimeout(() => {
          const silent = heartbeat.tick();
          if (silent > 1) return end();
          if (silent) this.send(PING);
          beat();
        }, interval);
      };

      this.#drop = end;
      socket.onopen = () => {
        clearTimeout(timer);
        this.#socket = socket;
        this.#test = () => {
          this.send(PING);
          clearTimeout(test);
          test = setTimeout(end, PATIENCE / 2);
        };
        beat();
        this.#listener.opened();
      };
      socket.onmessage = ({ data }: { data: unknown }) => {
        heartbeat.received();
        clearTimeout(test);
        this.#listener.frame(String(data));
      };
      socket.onclose = ({ code }: { code: number }) => end(code);
      socket.onerror = () => {};
    });
  }

  /** Asks over HTTP why no socket opened, which browsers hide from scripts, with a call that changes nothing. */
  #probe(token: string): Promise<Ending> {
    const { url } = this.#options;
    return callHttp(url, 'PATCH', 'users/me', {}, token, AbortSignal.timeout(PATIENCE)).then(
      () => [0, 0],
      ({ code, retryAfter = 0 }) => [code === 'UNAUTHORIZED' ? UNAUTHORIZED : 0, retryAfter],
    );
  }

  #pause(retryAfter: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#closed) return resolve();
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(this.#hurry, retryAfter * 1000 + this.#backoff.next());
    });
  }

  /** Tries at once when the device is back from sleep or from no network, and tests the socket that is open. */
  readonly #wake = () => {
    this.#hurry?.();
    this.#backoff.reset(WOKEN);
    this.#test?.();
  };
}

function openSocket(url: string, token: string): Socket {
  return new WebSocket(url, ['auth', token]);
}
