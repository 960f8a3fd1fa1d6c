import type { Client } from '../Client.ts';
import type { Names } from './Names.ts';
import type { Timers } from './Timers.ts';

/** Shared by all parts of a view. */
export interface Context {
  readonly client: Client;
  readonly names: Names;
  readonly timers: Timers;
}
