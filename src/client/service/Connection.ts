import { ParleyError } from '../errors.ts';
import { Link } from '../Link.ts';
import { Outbox } from '../Outbox.ts';
import type { Commands } from '../protocol.ts';
import type { Reply } from '../request.ts';
import { startTimer } from '../timer.ts';
import type { ServiceCommands, ServicePushes } from './commands.ts';
import type { ServiceOptions } from './options.ts';
import { encodeServiceRequest } from './request.ts';
import { createOpener } from './socket.ts';

/** The commands of users and of services. */
type All = Commands & ServiceCommands;

/** A push to a service connection. */
export type ServicePush = {
  [Name in keyof ServicePushes]: { readonly type: Name; readonly params: ServicePushes[Name] };
}[keyof ServicePushes];

/** Receives the events of a connection. */
export interface ConnectionListener {
  /** Reports that a socket is open, and passes the signal that says that it was lost. */
  opened(lost: AbortSignal): void;
  /** Receives a push of the open socket. */
  pushed(push: ServicePush): void;
  /** Reports that the open socket was lost, before the next attempt. */
  lost(): void;
  /** Reports why an attempt failed, before the next one. */
  failed(error: Error): void;
  /** Reports that the connection has closed by itself. */
  closed(error: ParleyError): void;
}

/** Where a call belongs. */
export interface CallPlace {
  /** The user for whom it is sent, or `owner`; undefined for a service command. */
  readonly as?: object | string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A service connection that is opened again when it breaks, and its calls. */
export class Connection {
  readonly #link: Link;
  readonly #outbox: Outbox<All>;
  #lost: AbortController | undefined;

  constructor({ key, ...options }: ServiceOptions, listener: ConnectionListener) {
    this.#link = new Link(
      { ...options, ...createOpener(), token: key },
      {
        opened: () => {
          this.#lost = new AbortController();
          this.#outbox.opened();
          listener.opened(this.#lost.signal);
        },
        frame: (text) => {
          const frame: Reply | ServicePush = JSON.parse(text);
          if ('id' in frame) this.#outbox.answer(frame);
          else listener.pushed(frame as ServicePush);
        },
        lost: () => {
          this.#lost?.abort();
          this.#outbox.lost();
          listener.lost();
        },
        failed: (error) => listener.failed(error),
        gaveUp: (error) => {
          this.#outbox.close(error);
          listener.closed(error);
        },
      },
    );
    this.#outbox = new Outbox<All>(
      (frame) => this.#link.send(frame),
      () => {},
      startTimer,
      encodeServiceRequest,
    );
  }

  /** Sends a command as soon as the connection permits, and resolves to its result. */
  call<Name extends keyof All>(
    type: Name,
    params: All[Name]['params'],
    { as, signal }: CallPlace,
  ): Promise<All[Name]['result']> {
    return this.#outbox.call(type, params, (result) => result, signal, false, as);
  }

  /** Starts the delays between attempts over, because the present socket works. */
  proven(): void {
    this.#link.proven();
  }

  /** Closes the present socket and opens another one. */
  restart(): void {
    this.#link.restart();
  }

  /** Closes the socket, and rejects all calls with `CLOSED`. */
  close(): void {
    this.#outbox.close(new ParleyError('CLOSED', 'The service was closed'));
    this.#link.close();
  }
}
