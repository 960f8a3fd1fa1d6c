import { pino } from 'pino';
import { readCommandLine } from '../../src/admin/commandLine.ts';
import { runCommand } from '../../src/admin/run.ts';
import { readConfig } from '../../src/config.ts';
import type { Database } from '../../src/database/database.ts';
import { database } from './harness.ts';

const log = pino({ enabled: false });

/** Runs a command of the operator's command line on a database, and resolves to its output. */
// biome-ignore lint/suspicious/noExplicitAny: tests read fields of any output
export async function adminOn(db: Database, words: readonly string[], env = {}): Promise<any> {
  let output = '';
  for await (const piece of runCommand(readCommandLine(words), db, readConfig(env), log)) output += piece;
  return JSON.parse(output);
}

/** Runs a command on the database of the file. */
export const admin = (...words: string[]) => adminOn(database, words);
