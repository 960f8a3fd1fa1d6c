import { mayReconnect, UNAUTHORIZED } from '../protocol/closeCodes.ts';
import { createBackoff } from './backoff.ts';
import { isPassing, ParleyError } from './errors.ts';
import { Heartbeat } from './Heartbeat.ts';
import { callHttp } from './http.ts';
import type { ClientOptions, Socket } from './options.ts';
import { socketUrl } from './urls.ts';

/** The options of a link. */
export interface LinkOptions extends ClientOptions {
  /**
   * Rejects with the reason for which an upgrade was refused. Default: the answer to an HTTP call that changes nothing,
   * because browsers hide that of the upgrade from scripts.
   */
  readonly probe?: (url: string, token: string) => Promise<unknown>;
}

/** Receives the events of a link. */
export interface LinkListener {
  /** Reports that a socket is open. */
  opened(): void;
  /** Receives a frame of the open socket. */
  frame(text: string): void;
  /** Reports that the open socket has closed, before the next attempt. */
  lost(): void;
  /** Reports why an attempt failed, before the next one. */
  failed(error: Error): void;
  /** Reports that there is no next attempt. */
  gaveUp(error: ParleyError): void;
}

/** The longest first delay between two attempts, and the longest of all, in milliseconds. */
const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;
/** The number of failures to begin with after the device woke up: the first delay is 31 milliseconds at most. */
const WOKEN = -4;
/** Milliseconds that a socket may take to open. Half as many are left to answer the ping of a device that woke up. */
const PATIENCE = 10_000;

/** Events after which the device may be back from sleep, or the network may have returned. */
const WAKING = ['online', 'pageshow', 'visibilitychange'];
/** The command that is sent after silence. Scripts in browsers do not see the pings of the WebSocket. */
const PING = '{"type":"ping","id":"ping"}';

/** The close code of a connection, or the equivalent of a refused upgrade, and the seconds to wait before the next attempt. */
type Ending = readonly [code: number, retryAfter: number];

/**
 * Keeps one socket to the server open, and opens another one when it breaks. Ends when it is closed, when the server
 * refuses the token and there is no fresh one, and after a close code that forbids to reconnect.
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
  /** Sends a ping, and ends the open socket if nothing arrives after it. */
  #test: (() => void) | undefined;
  /** Ends the wait for the next attempt. */
  #endPause: (() => void) | undefined;
  /** Ends the present socket in the same way as a broken connection. */
  #endSession: ((code?: number) => void) | undefined;

  constructor(options: LinkOptions, listener: LinkListener) {
    this.#options = options;
    this.#listener = listener;
    socketUrl(options.url); // throws if it is not a URL
    for (const name of WAKING) globalThis.addEventListener?.(name, this.#wake);
    queueMicrotask(() => this.#run());
  }

  /** Sends a frame over the open socket. Does nothing if there is none. */
  send(text: string): void {
    this.#socket?.send(text);
  }

  /** Closes the present socket and opens another one. */
  restart(): void {
    this.#endSession?.();
  }

  /** Starts the delays over, because the present connection works. */
  proven(): void {
    this.#backoff.reset();
  }

  /** Closes the socket and ends all attempts. Removes the listeners and the timers. */
  close(): void {
    this.#closed = true;
    for (const name of WAKING) globalThis.removeEventListener?.(name, this.#wake);
    this.#endSession?.();
    this.#endPause?.();
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
        this.#listener.failed(error as Error);
      }
      if (mayReconnect(this.#code, true)) await this.#pause(retryAfter);
    }
  }

  /** Resolves when a connection has ended, or could not be opened, to the seconds to wait before the next attempt. */
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
        if (!socket.onclose) return; // it has ended before
        const isOpen = this.#socket === socket;
        clearTimeout(timer);
        clearTimeout(test);
        socket.onopen = socket.onmessage = socket.onclose = null; // onerror stays, for an error after that
        this.#socket = this.#endSession = this.#test = undefined;
        try {
          socket.close();
        } catch {
          // some sockets cannot be closed before they are open
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

      this.#endSession = end;
      socket.onopen = () => {
        clearTimeout(timer);
        this.#socket = socket;
        this.#test = () => {
          this.send(PING);
          test ??= setTimeout(end, PATIENCE / 2);
        };
        beat();
        this.#listener.opened();
      };
      socket.onmessage = ({ data }: { data: unknown }) => {
        heartbeat.received();
        clearTimeout(test);
        test = undefined;
        this.#listener.frame(String(data));
      };
      socket.onclose = ({ code }: { code: number }) => end(code);
      socket.onerror = () => {};
    });
  }

  /** Resolves to the ending of a refused upgrade. */
  #probe(token: string): Promise<Ending> {
    const { url, probe = probeByHttp } = this.#options;
    return probe(url, token).then(
      () => [0, 0],
      (error: ParleyError) => {
        const { code, retryAfter = 0 } = error;
        if (code === 'UNAUTHORIZED') return [UNAUTHORIZED, retryAfter];
        const other = () => new ParleyError('UNAVAILABLE', 'The server answers, but not over the WebSocket');
        this.#listener.failed(isPassing(code) ? error : other());
        return [0, retryAfter];
      },
    );
  }

  /** Resolves after the delay of the back-off, in addition to the seconds of the server, or when the pause is ended. */
  #pause(retryAfter: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#closed) return resolve();
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(this.#endPause, retryAfter * 1000 + this.#backoff.next());
    });
  }

  /** Tests the open socket. If there is none, ends the pause before the next attempt, and shortens the following ones. */
  readonly #wake = () => {
    if (this.#test) return this.#test();
    this.#backoff.reset(WOKEN);
    this.#endPause?.();
  };
}

function probeByHttp(url: string, token: string): Promise<unknown> {
  return callHttp(url, 'PATCH', 'users/me', {}, token, AbortSignal.timeout(PATIENCE));
}

function openSocket(url: string, token: string): Socket {
  return new WebSocket(url, ['auth', token]);
}
