import type { Client } from '../Client.ts';
import type { Names } from './Names.ts';
import type { Timers } from './Timers.ts';

/** What all parts of a view share. */
export interface Context {
  readonly client: Client;
  readonly names: Names;
  readonly timers: Timers;
}
