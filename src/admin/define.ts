import type { Logger } from 'pino';
import type { Passwords } from '../auth/passwords.ts';
import type { OutboxBus } from '../bus/outbox.ts';
import type { Config } from '../config.ts';
import type { Database } from '../database/database.ts';
import type { MessageWriter } from '../messages/MessageWriter.ts';

/** The part of the configuration that admin commands use. */
export type AdminConfig = Pick<
  Config,
  | 'dataDir'
  | 'databasePoolSize'
  | 'eventDays'
  | 'jwtSecret'
  | 'limits'
  | 'passwordCost'
  | 'webhookPrivateNetworks'
>;

/** The services that admin commands use. */
export interface AdminServices {
  readonly db: Database;
  readonly bus: OutboxBus;
  readonly writer: MessageWriter;
  readonly passwords: Passwords;
  readonly config: AdminConfig;
  readonly log: Logger;
}

/** Options by name. */
export type Values = Readonly<Record<string, string | boolean | undefined>>;

/**
 * Runs a command. Resolves to a value that is printed as JSON, or to an async iterable of parts of a text. Rejects with
 * an `ApiError` or a `StartError` for a refusal.
 */
export type Action = (args: readonly string[], values: Values, services: AdminServices) => Promise<unknown>;

export interface AdminCommand {
  readonly summary: string;
  /** Names of the arguments. */
  readonly takes: readonly string[];
  readonly options: Readonly<Record<string, { readonly type: 'string' | 'boolean' }>>;
  /** True if it cannot be undone and requires `--yes`. */
  readonly isFinal?: true;
  /** True if it works on the embedded database while no server uses it, whatever `DATABASE_URL` is. */
  readonly isOnEmbedded?: true;
  load(): Promise<Action>;
}

/** A wrong command line. */
export class UsageError extends Error {}

/** Returns the option `--limit`, a number of rows. */
export function limitOf({ limit = '50' }: Values): number {
  const rows = Number(limit);
  if (!Number.isInteger(rows) || rows < 1 || rows > 10_000)
    throw new UsageError(`--limit is "${limit}"; expected an integer from 1 to 10000`);
  return rows;
}

/** Escapes the wildcards of a text for LIKE. */
export const literally = (text: string): string => text.replaceAll(/[\\%_]/g, '\\$&');
