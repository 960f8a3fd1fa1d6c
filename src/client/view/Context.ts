import type { Client } from '../Client.ts';
import type { Ask } from '../Outbox.ts';
import type { Names } from './Names.ts';
import type { Timers } from './Timers.ts';

/** Shared by all parts of a view. */
export interface Context {
  readonly client: Client;
  readonly ask: Ask;
  /** Asks again what could not be answered for a while. */
  readonly insist: Ask;
  readonly names: Names;
  readonly timers: Timers;
}
