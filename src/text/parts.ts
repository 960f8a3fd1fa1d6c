/*
 * What some messages of a chat have, as a Bloom filter (https://en.wikipedia.org/wiki/Bloom_filter): their words, parts
 * of words, who wrote them and whom they mention. It may take them for messages that have something and do not, never
 * the other way round. Filters are kept in the database: what they are made of, the fold of texts included, changes with a
 * migration that empties `message_search_filters` and has `filtered_id` in `message_search_progress` begin at 0 again.
 */

/** Bits of a filter: with 32 messages of ten words each, one in five is set. */
export const FILTER_BITS = 8192;

/** The filter of one or more messages, or of what somebody looks for. */
export type Filter = Buffer;

export const newFilter = (): Filter => Buffer.alloc(FILTER_BITS / 8);

/** Units of UTF-16 that are, or are half of, a letter, a digit or a mark: 1, others 2; 0 where that is unknown yet. */
const kinds = new Uint8Array(0x1_0000);
const [LETTER, OTHER] = [1, 2];
const IS_LETTER = /^[\p{L}\p{N}\p{M}\p{Cs}]$/u;

/** From here on are scripts that say much with two units: those without spaces, syllables, and halves of other characters. */
const DENSE = 0x0e00;

/** Letters in a row of other scripts that are a part: longer ones tell more texts apart, shorter ones are in what is looked for. */
const [SHORTEST, LONGEST] = [3, 5];

/**
 * Adds the parts of a folded text: two letters of a dense script, of others three to five in a row. Returns false if there
 * are none: any text may have such a part.
 */
export function addParts(filter: Filter, folded: string): boolean {
  let [run, hasParts] = [0, false];
  for (let at = 0; at < folded.length; at++) {
    const unit = folded.charCodeAt(at);
    run = isLetter(unit) ? run + 1 : 0;
    if (run >= 2 && unit >= DENSE && folded.charCodeAt(at - 1) >= DENSE) {
      addHash(filter, mix(folded.charCodeAt(at - 1), unit));
      hasParts = true;
    } else if (run >= SHORTEST) {
      let hash = 0;
      for (let length = 1; length <= Math.min(run, LONGEST); length++) {
        hash = mix(hash, folded.charCodeAt(at - length + 1));
        if (length >= SHORTEST) setBit(filter, hash >>> 19);
      }
      hasParts = true;
    }
  }
  return hasParts;
}

/** Adds a word, as PostgreSQL has it: a lexeme. */
export function addWord(filter: Filter, word: string): void {
  addHash(filter, hashOf(word));
}

/** Adds who wrote a message, and whom it mentions. No word has the first character. */
export const addSender = (filter: Filter, userId: number): void => addWord(filter, `\u0001s${userId}`);
export const addMention = (filter: Filter, userId: number): void => addWord(filter, `\u0001m${userId}`);

function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < word.length; at++) hash = mix(hash, word.charCodeAt(at));
  return hash;
}

/** The last bits of a product hang on the last bits of what is multiplied alone: the first ones count. */
function mix(hash: number, unit: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15) ^ Math.imul(unit + 1, 0x85ebca6b), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** Four bits, so that there is hardly a filter of others with all of them. */
function addHash(filter: Filter, hash: number): void {
  setBit(filter, hash >>> 19);
  setBit(filter, mix(hash, 1) >>> 19);
  setBit(filter, mix(hash, 2) >>> 19);
  setBit(filter, mix(hash, 3) >>> 19);
}

function setBit(filter: Filter, bit: number): void {
  filter[bit >> 3] = (filter[bit >> 3] as number) | (0x80 >> (bit & 7));
}

function isLetter(unit: number): boolean {
  if (kinds[unit] === 0) kinds[unit] = IS_LETTER.test(String.fromCharCode(unit)) ? LETTER : OTHER;
  return kinds[unit] === LETTER;
}
