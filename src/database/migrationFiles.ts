import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * The form of a migration: SQL with comments, in `migrations/`, and what takes it back under the same name in
 * `migrations/down/`. It is one part or several, which are done one after another. A part begins with a line that says
 * how it runs; without one, in a transaction:
 *
 *     alter table messages add pages integer;
 *
 *     -- in slices of 5000 by messages (chat_id, seq)
 *     update messages set pages = length(content) / 1000
 *     where (chat_id, seq) > ($1, $2) and (chat_id, seq) <= ($3, $4);
 *
 *     -- concurrently
 *     create index concurrently messages_pages on messages (pages);
 *
 *     -- in one transaction
 *     alter table messages ...;
 *
 * - `in one transaction`: quick, with no look at the rows of a large table.
 * - `concurrently`: each statement by itself, outside of a transaction. They run again after a crash, so each says the
 *   same twice: an index that is there stays, one that is invalid is made anew, and one is dropped `if exists`.
 * - `in slices`: one statement, once for each slice of the rows of a table in the order of a unique key (of positive
 *   integers, with an index), each in a transaction of its own. The first half of its parameters is the key up to which
 *   the slices before it went, the second half the last key of this one. Each slice is done once, whatever happens.
 */

/** Where the migrations of this server are. */
export const FOLDER = fileURLToPath(new URL('../../migrations', import.meta.url));

/** A piece of a migration that is done as a whole, or is continued where it was cut off. */
export type Part =
  | { readonly kind: 'transaction'; readonly sql: string }
  | { readonly kind: 'concurrently'; readonly statements: readonly string[] }
  | Slices;

export interface Slices {
  readonly kind: 'slices';
  /** Rows in a slice at most. */
  readonly size: number;
  readonly table: string;
  /** Its columns. */
  readonly key: readonly string[];
  readonly sql: string;
}

const HEAD = /^-- (?:concurrently\b|in one transaction\b|in slices\b).*$/m;
const SLICES = /^-- in slices of (\d+) by (\w+) \((\w+(?:, \w+)*)\)$/;
const COMPATIBLE_FROM = /^-- compatible from: (\d+)$/m;
/** A statement with the comments before it; there are no function bodies among what runs concurrently. */
const STATEMENT_END = /;[^\S\n]*(?:\n|$)/;

/** The parts of the SQL of a migration. Throws for a line that begins like the head of one and is none. */
export function partsOf(sql: string): Part[] {
  const parts: Part[] = [];
  let head = '-- in one transaction';
  for (let rest = sql; ; ) {
    const next = HEAD.exec(rest);
    const body = rest.slice(0, next?.index);
    if (hasStatement(body)) parts.push(partOf(head, body));
    if (!next) return parts;
    head = next[0].trimEnd();
    rest = rest.slice(next.index + next[0].length);
  }
}

function partOf(head: string, sql: string): Part {
  if (head === '-- in one transaction') return { kind: 'transaction', sql };
  if (head === '-- concurrently')
    return { kind: 'concurrently', statements: sql.split(STATEMENT_END).filter(hasStatement) };
  const [, size, table, key] = SLICES.exec(head) ?? [];
  if (!table || !key)
    throw new Error(`"${head}" begins no part of a migration; expected -- in slices of N by TABLE (KEY)`);
  return { kind: 'slices', size: Number(size), table, key: key.split(', '), sql };
}

/** True if there is more than comments. */
const hasStatement = (sql: string): boolean => /^\s*[^\s-]/m.test(sql.replaceAll(/--.*$/gm, ''));

/** The version that a node has to know once the SQL of a migration has run; 0 where it does not say. */
export function compatibleFrom(sql: string): number {
  return Number(COMPATIBLE_FROM.exec(sql)?.[1] ?? 0);
}

/** The number in front of a migration's name. */
export const versionOf = (name: string): number => Number.parseInt(name, 10);

/** The names of the migrations in a folder, in their order. */
export async function namesIn(folder: string): Promise<string[]> {
  const files = await readdir(folder);
  return files
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length))
    .sort();
}

/** The SQL of a migration: of `NAME`, or of what takes it back, `down/NAME`. */
export const sqlOf = (folder: string, name: string): Promise<string> =>
  readFile(join(folder, `${name}.sql`), 'utf8');
