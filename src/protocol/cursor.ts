import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { Type } from 'typebox';
import type { UserId } from '../ids.ts';
import { ApiError } from './errors.ts';
import { fitting } from './schema/page.ts';
import { Nullable } from './schema/types.ts';

/** The position at which a list continues. Unlike a page number it stays correct while rows are added and removed. */
export const Cursor = Type.Optional(
  Type.String({
    title: 'Cursor',
    minLength: 1,
    maxLength: 8192,
    description: 'nextCursor of the page before; left out for the first',
  }),
);
/** Options of `data` in a list. */
export const ROWS = { description: 'The rows of the page' };
/** A field beside `data`. */
export const NextCursor = Nullable(
  Type.String({ description: 'Where the next page begins; null after the last one' }),
);

/** Bytes of a signature, too many to guess. */
const SIGNATURE = 16;

/** Returns the cursors of a command for one user. */
export type CursorSigner = (command: string, userId: UserId) => Cursors;

/**
 * Signs cursors with HMAC (RFC 2104), so that clients cannot choose where a statement begins: a cursor is only accepted
 * from the user who received it and by the command that returned it. The keys are derived (HKDF, RFC 5869) from the
 * secrets that sign tokens. The first signs and all are accepted, so nodes accept each other's cursors.
 */
export function createCursorSigner(secrets: readonly [string, ...string[]]): CursorSigner {
  const [first, ...older] = secrets.map((secret) =>
    Buffer.from(hkdfSync('sha256', secret, '', 'parley cursors', 32)),
  ) as [Buffer, ...Buffer[]];

  return (command, userId) => {
    const sign = (key: Buffer, payload: Buffer) =>
      createHmac('sha256', key)
        .update(`${command} ${userId} `)
        .update(payload)
        .digest()
        .subarray(0, SIGNATURE);
    return new Cursors(
      (payload) => Buffer.concat([sign(first, payload), payload]),
      (signature, payload) =>
        signature.length === SIGNATURE &&
        [first, ...older].some((key) => timingSafeEqual(sign(key, payload), signature)),
    );
  };
}

/** The cursors of one list and one user. */
export class Cursors {
  readonly #signed: (payload: Buffer) => Buffer;
  readonly #isSigned: (signature: Buffer, payload: Buffer) => boolean;

  constructor(
    signed: (payload: Buffer) => Buffer,
    isSigned: (signature: Buffer, payload: Buffer) => boolean,
  ) {
    this.#signed = signed;
    this.#isSigned = isSigned;
  }

  /** Encodes a position in the list, any JSON, as opaque text. */
  encode(position: unknown): string {
    return this.#signed(Buffer.from(JSON.stringify(position))).toString('base64url');
  }

  /** Returns the encoded position of a cursor; refuses with `BAD_REQUEST` a cursor that this list did not return. */
  decode(cursor: string): unknown {
    const bytes = Buffer.from(cursor, 'base64url');
    const payload = bytes.subarray(SIGNATURE);
    if (!this.#isSigned(bytes.subarray(0, SIGNATURE), payload)) throw wrongCursor();
    return JSON.parse(payload.toString());
  }

  /** Returns the numbers that {@link pageOf} encoded, as many as expected. */
  numbers(cursor: string, count: number): number[] {
    const parts = this.decode(cursor);
    if (Array.isArray(parts) && parts.length === count && parts.every(Number.isFinite)) return parts;
    throw wrongCursor(); // from another version
  }

  /** Returns the last id of the page before in a list ordered by id, or `start` for the first page. */
  idFrom(cursor: string | undefined, start: number): number {
    return cursor === undefined ? start : (this.numbers(cursor, 1)[0] ?? start);
  }

  /**
   * Returns a page and the cursor of the next one. `rows` are read with a limit of one more than `limit`. The page ends
   * early if its rows exceed the size of a page in bytes.
   */
  pageOf<Row>(rows: readonly Row[], limit: number, position: (last: Row) => readonly number[]) {
    const data = fitting(rows.slice(0, limit));
    const last = data.at(-1);
    return { data, nextCursor: rows.length > data.length && last ? this.encode(position(last)) : null };
  }
}

/** Returns the error for an invalid cursor. */
export const wrongCursor = (): ApiError =>
  new ApiError('BAD_REQUEST', 'params.cursor must be a nextCursor that this command returned');
