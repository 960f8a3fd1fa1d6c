import { Type } from 'typebox';
import { ApiError } from '../errors.ts';
import { fitting } from './page.ts';
import { Nullable } from './types.ts';

/** Where a list goes on: unlike a page number it stays right while rows come and go. */
export const Cursor = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 4096,
    description: 'nextCursor of the page before; left out for the first',
  }),
);
/** Stands beside `data`. */
export const NextCursor = Nullable(
  Type.String({ description: 'Where the next page begins; null after the last one' }),
);

/** A place in a list as opaque text. */
export function encodeCursor(...parts: readonly number[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

const isPart = {
  id: (part: unknown) => Number.isSafeInteger(part) && (part as number) >= 0,
  rank: (part: unknown) => Number.isFinite(part),
};

/** The parts of a cursor, each of the kind named; refuses with `BAD_REQUEST` what is no cursor of this list. */
export function decodeCursor(cursor: string, ...kinds: (keyof typeof isPart)[]): number[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (
      Array.isArray(parts) &&
      parts.length === kinds.length &&
      kinds.every((kind, at) => isPart[kind](parts[at]))
    )
      return parts;
  } catch {
    // told below
  }
  throw new ApiError('BAD_REQUEST', 'params.cursor must be a nextCursor that this command answered');
}

/** The last id seen of a list in the order of ids, or `start` for its first page. */
export function idFrom(cursor: string | undefined, start: number): number {
  return cursor === undefined ? start : (decodeCursor(cursor, 'id')[0] as number);
}

/**
 * A page and where the next one begins, from rows of which one more than `limit` was asked for. It ends early where the
 * rows, as they are answered, are over the bytes of a page.
 */
export function pageOf<Row>(rows: readonly Row[], limit: number, place: (last: Row) => number[]) {
  const data = fitting(rows.slice(0, limit));
  const last = data.at(-1);
  return { data, nextCursor: rows.length > data.length && last ? encodeCursor(...place(last)) : null };
}
