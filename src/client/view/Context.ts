import type { CallArguments, SendRequest } from '../calls.ts';
import type { Unsubscribe } from '../Emitter.ts';
import type { Events, Self, State } from '../events.ts';
import type { CommandName, Result } from '../protocol.ts';
import type { Names } from './Names.ts';
import type { Timers } from './Timers.ts';

/** The members of a client that a view uses. */
export interface ViewedClient {
  readonly state: State;
  readonly self: Self | undefined;
  /** Returns the time by the clock of the server, in milliseconds since 1970. */
  now(): number;
  call<Name extends CommandName>(type: Name, ...args: CallArguments<Name>): Promise<Result<Name>>;
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): Unsubscribe;
}

/** Shared by all parts of a view. */
export interface Context {
  readonly client: ViewedClient;
  /** Sends a request. */
  readonly request: SendRequest;
  /** Sends a request, and sends it again after temporary errors. */
  readonly retry: SendRequest;
  readonly names: Names;
  readonly timers: Timers;
}
