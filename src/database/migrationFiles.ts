import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * The form of a migration: SQL with comments in `migrations/`, and the SQL that undoes it under the same name in
 * `migrations/down/`. It consists of one or more parts, which run one after another. A part begins with a line that
 * determines how it runs; without such a line, it runs in a transaction:
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
 * - `in one transaction`: must be quick and must not read the rows of a large table.
 * - `concurrently`: each statement runs on its own, outside of a transaction. Statements run again after a crash, so
 *   they must be idempotent: an existing index stays, an invalid one is created again, and indexes are dropped `if
 *   exists`.
 * - `in slices`: one statement, which runs once for each slice of the rows of a table in the order of a unique key
 *   (positive integers with an index), each time in a transaction of its own. The first half of its parameters is the
 *   last key of the previous slice, the second half the last key of this one. Each slice is processed exactly once.
 */

/** The folder of the migrations of this server. */
export const FOLDER = fileURLToPath(new URL('../../migrations', import.meta.url));

/** A part of a migration. It runs as a whole, or continues where it was interrupted. */
export type Part =
  | { readonly kind: 'transaction'; readonly sql: string }
  | { readonly kind: 'concurrently'; readonly statements: readonly string[] }
  | Slices;

export interface Slices {
  readonly kind: 'slices';
  /** Maximum rows per slice. */
  readonly size: number;
  readonly table: string;
  /** The columns of the key. */
  readonly key: readonly string[];
  readonly sql: string;
}

const HEAD = /^-- (?:concurrently\b|in one transaction\b|in slices\b).*$/m;
const SLICES = /^-- in slices of (\d+) by (\w+) \((\w+(?:, \w+)*)\)$/;
const COMPATIBLE_FROM = /^-- compatible from: (\d+)$/m;
/** The end of a statement. Concurrent parts contain no function bodies. */
const STATEMENT_END = /;[^\S\n]*(?:\n|$)/;

/**
 * Returns the parts of the SQL of a migration. Throws for a line that begins like the head of a part but is malformed.
 */
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
    throw new Error(
      `"${head}" is not the head of a part of a migration; expected -- in slices of N by TABLE (KEY)`,
    );
  return { kind: 'slices', size: Number(size), table, key: key.split(', '), sql };
}

/** Returns true if SQL contains more than comments. */
const hasStatement = (sql: string): boolean => /^\s*[^\s-]/m.test(sql.replaceAll(/--.*$/gm, ''));

/** Returns the version that nodes must know after a migration has run; 0 if its SQL does not declare one. */
export function compatibleFrom(sql: string): number {
  return Number(COMPATIBLE_FROM.exec(sql)?.[1] ?? 0);
}

/** Returns the number at the beginning of the name of a migration. */
export const versionOf = (name: string): number => Number.parseInt(name, 10);

/** Returns the names of the migrations of a folder in order. */
export async function namesIn(folder: string): Promise<string[]> {
  const files = await readdir(folder);
  return files
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length))
    .sort();
}

/** Reads the SQL of a migration, `NAME`, or the SQL that undoes it, `down/NAME`. */
export const sqlOf = (folder: string, name: string): Promise<string> =>
  readFile(join(folder, `${name}.sql`), 'utf8');
