import type { AnyServiceCommandName } from './protocol.ts';

/* Facts of the commands, written by `npm run docs` from their definitions. Do not edit. */

/** Must not be sent again after a broken connection. */
export const UNREPEATABLE: readonly AnyServiceCommandName[] = [
  'revokeTokens',
];

/** Change nothing, and may overtake other commands. */
export const READING: readonly AnyServiceCommandName[] = [
  'getUsers',
  'listEvents',
  'ping',
];
