import type { CallArguments, SendRequest } from './calls.ts';
import { Emitter, type Unsubscribe } from './Emitter.ts';
import { ParleyError } from './errors.ts';
import type { Events, Self, State } from './events.ts';
import { iteratePushes } from './iteratePushes.ts';
import { Link } from './Link.ts';
import { Outbox } from './Outbox.ts';
import type { ClientOptions } from './options.ts';
import { PresenceSubscriptions } from './PresenceSubscriptions.ts';
import type { ChatAddress, CommandName, Params, Push, Result } from './protocol.ts';
import { encodeRequest, type Reply } from './request.ts';
import { Synchroniser } from './Synchroniser.ts';
import { startTimer } from './timer.ts';
import { type Chat, type Chats, createView, type Observable, type Presence, type View } from './view/view.ts';

/** A client of one user, which reconnects by itself. Created by {@link connect}. Its functions need no `this`. */
export class Client implements AsyncIterable<Push> {
  readonly #events = new Emitter<Events>();
  readonly #link: Link;
  readonly #outbox: Outbox;
  readonly #synchroniser: Synchroniser;
  readonly #presences = new PresenceSubscriptions();
  #view: View | undefined;
  #connection: AbortController | undefined;
  #state: State = 'connecting';
  #self: Self | undefined;
  #end: ParleyError | undefined;

  constructor(options: ClientOptions) {
    this.#link = new Link(options, {
      opened: () => this.#opened(),
      frame: (text) => this.#frame(JSON.parse(text)),
      lost: () => this.#lost(),
      failed: (error) => !this.#end && this.#events.emit('connectError', error),
      gaveUp: (error) => this.#finish(error),
    });
    this.#outbox = new Outbox(
      (frame) => this.#link.send(frame),
      (type, params, result) => this.#done(type, params, result),
      startTimer,
      encodeRequest,
    );
    this.#synchroniser = new Synchroniser(() => this.#self?.userId ?? 0, {
      deliver: (push, isOwn) => {
        if (!isOwn) return this.#publish(push);
        const { userId: senderId, username: senderName } = this.#self ?? {};
        const params = { ...push.params, senderId, senderName };
        this.#events.emit('sent', { ...push, params } as Push);
      },
      change: (change) => {
        if (change.kind === 'user') this.#named(change);
        this.#events.emit('sync', change);
      },
      reset: () => this.#events.emit('reset', undefined),
      broken: () => this.#link.restart(),
    });
  }

  /** The present state. Each change is the event `state`. */
  get state(): State {
    return this.#state;
  }

  /** The user of the token, with the present username; undefined until the client is online for the first time. */
  get self(): Self | undefined {
    return this.#self;
  }

  /** Returns the time of the server's clock, as far as the client knows it, in milliseconds since 1970. */
  readonly now = (): number => this.#synchroniser.now();

  /**
   * Runs a command and resolves to the `params` of its reply. A call that is made while offline waits. A call that a lost
   * connection interrupted is sent again, without a second effect.
   *
   * Rejects with a {@link ParleyError}: with the code of the server's refusal, with `CONNECTION_LOST` if the connection
   * broke before the reply to a command that must not be sent twice, with `PAYLOAD_TOO_LARGE` over 64 KiB, or with the
   * error that closed the client. An aborted call rejects with the reason of the signal.
   */
  readonly call = <Name extends CommandName>(
    type: Name,
    ...[params, options]: CallArguments<Name>
  ): Promise<Result<Name>> =>
    this.#outbox.call(type, params ?? ({} as Params<Name>), (result) => result, options?.signal);

  /** Subscribes to pushes by their name, or to another of the {@link Events}. Returns a function that unsubscribes. */
  readonly on = <Name extends keyof Events>(
    name: Name,
    listener: (event: Events[Name]) => void,
  ): Unsubscribe => this.#events.on(name, listener);

  /** Resolves when the client is online. Rejects with a {@link ParleyError} when it is closed. */
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
   * Iterates over all pushes from the first step on, until the client is closed. Throws a {@link ParleyError} unless it
   * was closed by {@link close}.
   */
  [Symbol.asyncIterator](): AsyncGenerator<Push, void, undefined> {
    return iteratePushes(this, () => this.#end);
  }

  /** The chats of this user, read when they are accessed for the first time and kept current. */
  get chats(): Chats {
    return this.#viewed.chats;
  }

  /** Returns a chat and its messages, read when they are accessed for the first time and kept current. */
  readonly chat = (address: ChatAddress): Chat => this.#viewed.chat(address);

  /** Returns the presence of a user, subscribed to by the first call and kept current; undefined until it is known. */
  readonly presence = (userId: number): Observable<Presence | undefined> => this.#viewed.presence(userId);

  /** Closes the connection and rejects the waiting calls with `CLOSED`. The token stays valid. */
  readonly close = (): void => {
    if (this.#end) return;
    this.#finish(new ParleyError('CLOSED', 'The client was closed'));
    this.#link.close();
  };

  get #viewed(): View {
    this.#view ??= createView(this, (type, params, take) => this.#outbox.call(type, params, take));
    return this.#view;
  }

  #opened(): void {
    const connection = new AbortController();
    this.#connection = connection;
    const { signal } = connection;
    const request: SendRequest = (type, params, take) => this.#outbox.call(type, params, take, signal, true);
    const begin = async () => {
      const settled = this.#outbox.settled();
      // The cursor is read before anything else, so that the next connection catches up from it, however soon this one breaks.
      const [{ userId, username }] = await Promise.all([
        this.#self ?? request('getProfile', {}, ({ data }) => data),
        this.#synchroniser.begin(request),
      ]);
      if (signal.aborted) return;
      this.#self ??= { userId, username };
      this.#outbox.opened();
      await settled;
      if (signal.aborted) return;
      await this.#synchroniser.catchUp(request);
      if (signal.aborted) return;
      this.#link.proven();
      this.#become('online');
      await this.#presences.renew(request, (push) => this.#publish(push));
    };
    begin().catch(() => {
      if (!signal.aborted) this.#link.restart();
    });
  }

  #lost(): void {
    this.#connection?.abort();
    this.#synchroniser.lost();
    this.#outbox.lost();
    if (!this.#end) this.#become('offline');
  }

  #frame(frame: Reply & Partial<Push>): void {
    if (frame.id !== undefined) this.#outbox.answer(frame);
    else if (frame.type && frame.params) this.#synchroniser.inbox.push(frame as Push);
  }

  #done(type: CommandName, params: object, result: object): void {
    this.#events.emit('done', { type, params, result });
    this.#presences.done(type, params);
    this.#synchroniser.inbox.done(type, params, result);
  }

  #named({ userId, username }: Self): void {
    if (this.#self?.userId === userId) this.#self = { userId, username };
  }

  #publish(push: Push): void {
    if (push.type === 'updateProfile') this.#named(push.params);
    this.#events.emit(push.type, push.params as never);
    this.#events.emit('push', push);
  }

  #become(state: State): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#events.emit('state', state);
  }

  #finish(error: ParleyError): void {
    this.#end = error;
    this.#outbox.close(error);
    this.#lost();
    this.#become('closed');
  }
}
