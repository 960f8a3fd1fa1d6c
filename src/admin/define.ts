import type { Logger } from 'pino';
import type { Passwords } from '../auth/passwords.ts';
import type { OutboxBus } from '../bus/outbox.ts';
import type { Database } from '../database/database.ts';
import type { MessageWriter } from '../messages/MessageWriter.ts';

/** What an operator's command works with. */
export interface AdminServices {
  readonly db: Database;
  readonly bus: OutboxBus;
  readonly writer: MessageWriter;
  readonly passwords: Passwords;
  readonly log: Logger;
}

type Values = Readonly<Record<string, string | boolean | undefined>>;

export interface AdminCommand {
  readonly summary: string;
  /** Names of what it is called with. */
  readonly takes: readonly string[];
  readonly options: Readonly<Record<string, { readonly type: 'string' | 'boolean' }>>;
  /** It cannot be undone, and wants `--yes`. */
  readonly isFinal?: true;
  /** Resolves to what is printed as JSON, or to an async iterable of pieces of a text. Rejects with an `ApiError` for a refusal. */
  run(args: readonly string[], values: Values, services: AdminServices): Promise<unknown>;
}

/** The command line was wrong. */
export class UsageError extends Error {}

/** An option that is a number of rows. */
export function limitOf({ limit = '50' }: Values): number {
  const rows = Number(limit);
  if (!Number.isInteger(rows) || rows < 1 || rows > 10_000)
    throw new UsageError(`--limit is "${limit}"; expected an integer from 1 to 10000`);
  return rows;
}

/** A text for LIKE: its wildcards stand for themselves. */
export const literally = (text: string): string => text.replaceAll(/[\\%_]/g, '\\$&');
