import type { ServiceCommand } from './define.ts';
import { ping } from './ping.ts';

/** Every service command there is, in the order of the documents. */
export const serviceCommands = [ping] as const;

export const serviceRegistry: ReadonlyMap<string, ServiceCommand> = new Map(
  serviceCommands.map((command): [string, ServiceCommand] => [command.type, command]),
);
