import { mayReconnect, UNAUTHORIZED } from '../protocol/closeCodes.ts';
import { isPassing, ParleyError } from './errors.ts';
import { httpUrl, socketUrl } from './urls.ts';

/** What the client needs of a WebSocket; that of the platform and the one of the package `ws` have it. */
export interface Socket {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(): void;
}

export interface LinkOptions {
  /** Of the server: `https://chat.example.com`, or `ws://localhost:3000/ws`. */
  readonly url: string;
  /**
   * A token, or where a fresh one comes from: asked at first, and whenever the last one is refused. When that rejects
   * with a {@link ParleyError} that will not pass by itself, such as `UNAUTHORIZED`, the client is closed with it; after
   * any other error it is asked again later.
   */
  readonly token: string | (() => string | Promise<string>);
  /** What `listSessions` calls this device. */
  readonly device?: string;
  /** Opens a socket; by default the platform's, with the token as a subprotocol. */
  readonly open?: (url: string, token: string) => Socket;
  /** Milliseconds of silence after which the server is asked for a sign of life; twice of it, and the connection is dead. Default 15,000. */
  readonly heartbeat?: number;
}

export interface LinkListener {
  opened(): void;
  frame(text: string): void;
  /** The socket is gone; another one is tried. */
  lost(): void;
  /** No other is tried. */
  gaveUp(error: ParleyError): void;
}

/** Milliseconds before the second attempt, doubled for each further one. */
const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;
/** Failures after which the delays begin when the device came back: with 30 milliseconds. */
const WOKEN = -4;
/** Milliseconds a socket may take to open, and a server to answer when the device came back to life. */
const PATIENCE = 10_000;

/** Asked when nothing was heard for a while: scripts in browsers do not see the pings of the WebSocket. */
const PING = JSON.stringify({ type: 'ping', id: 'ping' });

/** How a connection ended: the close code, or one that says the same, and the seconds to wait for the next one. */
type Ending = [code: number, retryAfter: number];

/**
 * Keeps one socket to the server open: opens another when it breaks, with delays that grow and are spread by chance
 * ("full jitter", https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), until it is closed, the
 * server wants another token than it can get, or closes with a code that forbids to connect again.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #listener: LinkListener;
  readonly #heartbeat: number;
  #socket: Socket | undefined;
  #failures = 0;
  #receivedAt = 0;
  #closed = false;
  /** Ends the wait for the next attempt. */
  #hurry: (() => void) | undefined;
  /** Ends the socket there is, as if it had broken. */
  #drop: ((code?: number) => void) | undefined;

  constructor(options: LinkOptions, listener: LinkListener) {
    this.#options = options;
    this.#listener = listener;
    this.#heartbeat = options.heartbeat ?? 15_000;
    socketUrl(options.url); // throws for what is no URL
    for (const name of ['online', 'pageshow', 'visibilitychange'])
      globalThis.addEventListener?.(name, this.#wake);
    queueMicrotask(() => this.#run());
  }

  /** Sends over the open socket; without one, nothing happens. */
  send(text: string): void {
    this.#socket?.send(text);
  }

  /** Gives the present socket up for another one. */
  restart(): void {
    this.#drop?.();
  }

  /** The connection is of use: the next one that breaks is tried again soon. */
  proven(): void {
    this.#failures = 0;
  }

  close(): void {
    this.#closed = true;
    for (const name of ['online', 'pageshow', 'visibilitychange'])
      globalThis.removeEventListener?.(name, this.#wake);
    this.#drop?.();
    this.#hurry?.();
  }

  async #run(): Promise<void> {
    const { token: source } = this.#options;
    let token: string | undefined;
    let refused: string | undefined;
    let code = 0;
    while (!this.#closed) {
      let retryAfter = 0;
      try {
        token ??= typeof source === 'string' ? source : await source();
        if (this.#closed) return;
        if (!mayReconnect(code, token !== refused))
          throw new ParleyError(
            code === UNAUTHORIZED ? 'UNAUTHORIZED' : 'FORBIDDEN',
            `The server refuses another connection (${code})`,
          );
        [code, retryAfter] = await this.#session(token);
        if (code === UNAUTHORIZED) {
          refused = token;
          token = undefined;
        }
      } catch (error) {
        if (error instanceof ParleyError && !isPassing(error.code)) {
          this.close();
          return this.#listener.gaveUp(error);
        }
      }
      if (mayReconnect(code, true)) await this.#pause(retryAfter);
    }
  }

  /** Resolves when the socket has closed, or could not be opened. */
  #session(token: string): Promise<Ending> {
    return new Promise((resolve) => {
      const { url, device, open = openSocket } = this.#options;
      const socket = open(socketUrl(url, device), token);
      let opened = false;
      let silent = false;
      let timer = setTimeout(() => end(), PATIENCE);

      // Once, and deaf from then on: a socket that was given up must not speak again.
      const end = (code = 0) => {
        clearTimeout(timer);
        socket.onopen = socket.onmessage = socket.onclose = null; // an error after that has its empty listener
        this.#socket = this.#drop = undefined;
        try {
          socket.close();
        } catch {
          // some cannot be closed before they are open
        }
        if (opened) this.#listener.lost();
        resolve(opened || this.#closed ? [code, 0] : this.#probe(token));
      };
      const listen = () => {
        const receivedAt = this.#receivedAt;
        timer = setTimeout(() => {
          const heard = this.#receivedAt !== receivedAt;
          if (!heard && silent) return end();
          silent = !heard;
          if (silent) this.send(PING);
          listen();
        }, this.#heartbeat);
      };

      this.#drop = end;
      socket.onopen = () => {
        clearTimeout(timer);
        opened = true;
        this.#socket = socket;
        listen();
        this.#listener.opened();
      };
      socket.onmessage = ({ data }: { data: unknown }) => {
        this.#receivedAt++;
        this.#listener.frame(String(data));
      };
      socket.onclose = ({ code }: { code: number }) => end(code);
      socket.onerror = () => {};
    });
  }

  /** Asks over HTTP why no socket opened, which scripts in browsers are not told: a call that changes nothing. */
  async #probe(token: string): Promise<Ending> {
    const { status, headers } = await fetch(httpUrl(this.#options.url, 'users/me'), {
      method: 'PATCH',
      headers: { authorization: `Bearer ${token}` },
      body: '{}',
      signal: AbortSignal.timeout(PATIENCE),
    });
    return [status === 401 ? UNAUTHORIZED : 0, Number(headers.get('retry-after')) || 0];
  }

  #pause(retryAfter: number): Promise<void> {
    const delay = Math.random() * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#failures++);
    return new Promise((resolve) => {
      if (this.#closed) return resolve();
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(this.#hurry, retryAfter * 1000 + delay);
    });
  }

  /** The device is back, from sleep or from no network: what was waited for is tried now, what is open is doubted. */
  readonly #wake = () => {
    this.#hurry?.();
    const drop = this.#drop;
    if (!this.#socket) {
      this.#failures = WOKEN;
      return;
    }
    const heardAt = this.#receivedAt;
    this.send(PING);
    setTimeout(() => {
      if (this.#receivedAt === heardAt && this.#drop === drop) drop?.();
    }, PATIENCE / 2);
  };
}

function openSocket(url: string, token: string): Socket {
  return new WebSocket(url, ['auth', token]);
}
