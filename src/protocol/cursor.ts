import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { Type } from 'typebox';
import type { UserId } from '../ids.ts';
import { ApiError } from './errors.ts';
import { fitting } from './schema/page.ts';
import { Nullable } from './schema/types.ts';

/** Where a list goes on: unlike a page number it stays right while rows come and go. */
export const Cursor = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 8192,
    description: 'nextCursor of the page before; left out for the first',
  }),
);
/** Stands beside `data`. */
export const NextCursor = Nullable(
  Type.String({ description: 'Where the next page begins; null after the last one' }),
);

/** Bytes of a signature: nobody guesses one. */
const SIGNATURE = 16;

/** Makes the cursors of a command for one user. */
export type CursorSigner = (command: string, userId: UserId) => Cursors;

/**
 * Signs cursors with HMAC (RFC 2104), so that no statement begins where a client chose: a cursor is only taken from
 * the user it was answered to, by the command that answered it. The keys are derived from the secrets (HKDF, RFC
 * 5869), which sign tokens otherwise; the first signs, all are accepted, so every node takes those of the others.
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

  /** Returns the position of a cursor as it was encoded; refuses with `BAD_REQUEST` what this list did not answer. */
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
    throw wrongCursor(); // of another version
  }

  /** Returns the last id seen of a list in the order of ids, or `start` for its first page. */
  idFrom(cursor: string | undefined, start: number): number {
    return cursor === undefined ? start : (this.numbers(cursor, 1)[0] ?? start);
  }

  /**
   * Returns a page and where the next one begins, from rows of which one more than `limit` was asked for. It ends early
   * where the rows, as they are answered, are over the bytes of a page.
   */
  pageOf<Row>(rows: readonly Row[], limit: number, position: (last: Row) => readonly number[]) {
    const data = fitting(rows.slice(0, limit));
    const last = data.at(-1);
    return { data, nextCursor: rows.length > data.length && last ? this.encode(position(last)) : null };
  }
}

/** Refuses a cursor. */
export const wrongCursor = (): ApiError =>
  new ApiError('BAD_REQUEST', 'params.cursor must be a nextCursor that this command answered');
