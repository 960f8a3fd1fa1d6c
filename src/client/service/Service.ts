import type { CallOptions } from '../calls.ts';
import { Emitter, type Unsubscribe } from '../Emitter.ts';
import { ParleyError } from '../errors.ts';
import type { CommandName, Params, Result } from '../protocol.ts';
import { Connection } from './Connection.ts';
import type { OwnerCommandName, UserReference } from './commands.ts';
import { type EventHandler, EventSubscription, type SubscribeOptions } from './EventSubscription.ts';
import type { ServiceOptions } from './options.ts';
import type { ActingCommandName, ServiceCommandName, ServiceParams, ServiceResult } from './protocol.ts';

/** The state of a service: `connecting` at first, `online`, `offline` between connections, and `closed` at the end. */
export type ServiceState = 'connecting' | 'online' | 'offline' | 'closed';

/** The events of a service by name. */
export interface ServiceEvents {
  /** The new state, after each change. */
  state: ServiceState;
  /** The reason why an attempt to connect failed, also for a subscription. The service tries again. */
  connectError: Error;
}

/** The arguments of a call after the name of the command. Params may be omitted if all of them are optional. */
type Arguments<All> =
  Record<string, never> extends All
    ? [params?: All, options?: CallOptions]
    : [params: All, options?: CallOptions];

/** Sends commands for one user. Its function needs no `this`. */
export interface ActingUser<Names extends CommandName = ActingCommandName> {
  /** Runs a command as the user and resolves to the `params` of its reply. Otherwise as {@link Service.call}. */
  readonly call: <Name extends Names>(type: Name, ...args: Arguments<Params<Name>>) => Promise<Result<Name>>;
}

/** A service connection, which reconnects by itself. Created by {@link connectService}. Its functions need no `this`. */
export class Service {
  readonly #options: ServiceOptions;
  readonly #events = new Emitter<ServiceEvents>();
  readonly #connection: Connection;
  readonly #subscriptions = new Set<EventSubscription>();
  #state: ServiceState = 'connecting';
  #end: ParleyError | undefined;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#connection = new Connection(options, {
      opened: (lost) => void this.#opened(lost),
      pushed: () => {},
      lost: () => this.#become('offline'),
      failed: (error) => this.#failed(error),
      closed: (error) => this.#finish(error),
    });
  }

  /** The present state. Each change is the event `state`. */
  get state(): ServiceState {
    return this.#state;
  }

  /**
   * Runs a service command and resolves to the `params` of its reply. A call that is made while offline waits. A call that a
   * lost connection interrupted is sent again, without a second effect.
   *
   * Rejects with a {@link ParleyError}: with the code of the server's refusal, with `CONNECTION_LOST` if the connection
   * broke before the reply to a command that must not be sent twice, with `PAYLOAD_TOO_LARGE` over 64 KiB, or with the
   * error that closed the service. An aborted call rejects with the reason of the signal.
   */
  readonly call = <Name extends ServiceCommandName>(
    type: Name,
    ...[params, options]: Arguments<ServiceParams<Name>>
  ): Promise<ServiceResult<Name>> =>
    this.#connection.call(type, params ?? ({} as ServiceParams<Name>), { signal: options?.signal });

  /**
   * Returns the means to send commands for a user; with `'owner'`, those that manage a group for its owner. Commands of one
   * user about one chat are sent one after another, those of different users beside each other; name a user in the same way
   * each time.
   */
  readonly as: {
    (owner: 'owner'): ActingUser<OwnerCommandName>;
    (user: UserReference): ActingUser;
  } = (user: UserReference | 'owner'): ActingUser => {
    const as = typeof user === 'string' ? user : { ...user };
    return {
      call: (type, ...[params, options]) =>
        this.#connection.call(type, params ?? ({} as Params<typeof type>), { as, signal: options?.signal }),
    };
  };

  /**
   * Receives events under the name of a consumer, at least once and in their order. A batch is acknowledged when the handler
   * has resolved, and only then the next one is handed over. If the handler rejects, or the connection breaks before the
   * acknowledgement, the events are handed over again.
   */
  readonly consume = (
    consumer: string,
    options: SubscribeOptions,
    handler: EventHandler,
  ): EventSubscription => {
    if (this.#end) throw this.#end;
    const failed = (error: Error) => this.#failed(error);
    const subscription = new EventSubscription(this.#options, consumer, options, handler, failed);
    this.#subscriptions.add(subscription);
    const remove = () => this.#subscriptions.delete(subscription);
    subscription.ended.then(remove, remove);
    return subscription;
  };

  /** Subscribes to one of the {@link ServiceEvents}. Returns a function that unsubscribes. */
  readonly on = <Name extends keyof ServiceEvents>(
    name: Name,
    listener: (event: ServiceEvents[Name]) => void,
  ): Unsubscribe => this.#events.on(name, listener);

  /** Resolves when the service is online. Rejects with a {@link ParleyError} when it is closed. */
  readonly online = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = () => {
        if (this.#state === 'online') resolve();
        else if (this.#end) reject(this.#end);
        else return;
        stop();
      };
      const stop = this.on('state', look);
      look();
    });

  /**
   * Closes the subscriptions, whose handlers finish the batches that they have begun, then the connection. Rejects the
   * waiting calls with `CLOSED`.
   */
  readonly close = async (): Promise<void> => {
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()));
    if (this.#end) return;
    this.#finish(new ParleyError('CLOSED', 'The service was closed'));
    this.#connection.close();
  };

  async #opened(lost: AbortSignal): Promise<void> {
    try {
      await this.#connection.call('ping', {}, { signal: lost });
    } catch {
      if (!lost.aborted) this.#connection.restart();
      return;
    }
    this.#connection.proven();
    this.#become('online');
  }

  #failed(error: Error): void {
    if (!this.#end) this.#events.emit('connectError', error);
  }

  #become(state: ServiceState): void {
    if (this.#state === state || this.#state === 'closed') return;
    this.#state = state;
    this.#events.emit('state', state);
  }

  #finish(error: ParleyError): void {
    this.#end = error;
    this.#become('closed');
  }
}
