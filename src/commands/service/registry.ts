import { acknowledgeEvents } from './acknowledgeEvents.ts';
import { createToken } from './createToken.ts';
import type { ServiceCommand } from './define.ts';
import { deleteUsers } from './deleteUsers.ts';
import { disableUsers } from './disableUsers.ts';
import { getUsers } from './getUsers.ts';
import { listEvents } from './listEvents.ts';
import { ping } from './ping.ts';
import { revokeTokens } from './revokeTokens.ts';
import { subscribeEvents } from './subscribeEvents.ts';
import { upsertUsers } from './upsertUsers.ts';

/** Every service command there is, in the order of the documents. */
export const serviceCommands = [
  upsertUsers,
  getUsers,
  disableUsers,
  deleteUsers,
  revokeTokens,
  createToken,

  listEvents,
  subscribeEvents,
  acknowledgeEvents,

  ping,
] as const;

export const serviceRegistry: ReadonlyMap<string, ServiceCommand> = new Map(
  serviceCommands.map((command): [string, ServiceCommand] => [command.type, command]),
);
