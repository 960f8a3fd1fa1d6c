/*
 * Which parts of words some texts have, as a Bloom filter (https://en.wikipedia.org/wiki/Bloom_filter) of three letters
 * in a row: it may take a part for one of theirs that is none, never the other way round. Filters are kept in the
 * database: what they are made of, the fold of texts included, changes with a migration that empties
 * `message_search_segments` and has `segmented_id` in `message_search_progress` begin at 0 again.
 */

/** Bits of a filter: with 64 messages of ten words each, one in five is set. */
export const FILTER_BITS = 4096;

/** The filter of what may have any part. */
export const ALL_PARTS = 'f'.repeat(FILTER_BITS / 4);

/** Units of UTF-16 that are, or are half of, a letter, a digit or a mark: 1, others 2; 0 where that is unknown yet. */
const kinds = new Uint8Array(0x1_0000);
const [LETTER, OTHER] = [1, 2];
const IS_LETTER = /^[\p{L}\p{N}\p{M}\p{Cs}]$/u;

/** Returns the filter of a folded text in hexadecimal digits. */
export function filterOf(folded: string): string {
  const filter = Buffer.alloc(FILTER_BITS / 8);
  addParts(folded, filter);
  return filter.toString('hex');
}

/** Returns the filter of what has a part, or undefined where it has no three letters in a row: any text may have it. */
export function filterOfPart(folded: string): string | undefined {
  const filter = Buffer.alloc(FILTER_BITS / 8);
  return addParts(folded, filter) ? filter.toString('hex') : undefined;
}

/** Sets the bits of all parts of a text; returns false if there are none. */
function addParts(folded: string, filter: Buffer): boolean {
  let [before, last, run, hasParts] = [0, 0, 0, false];
  for (let at = 0; at < folded.length; at++) {
    const unit = folded.charCodeAt(at);
    run = isLetter(unit) ? run + 1 : 0;
    if (run >= 3) {
      const hash = Math.imul(Math.imul(before, 0x9e3779b1) ^ Math.imul(last, 0x85ebca6b) ^ unit, 0xc2b2ae35);
      const bit = hash >>> 20;
      filter[bit >> 3] = (filter[bit >> 3] as number) | (0x80 >> (bit & 7));
      hasParts = true;
    }
    [before, last] = [last, unit];
  }
  return hasParts;
}

function isLetter(unit: number): boolean {
  if (kinds[unit] === 0) kinds[unit] = IS_LETTER.test(String.fromCharCode(unit)) ? LETTER : OTHER;
  return kinds[unit] === LETTER;
}
