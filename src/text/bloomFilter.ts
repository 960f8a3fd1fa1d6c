import type { UserId } from '../ids.ts';

/*
 * Bloom filters of messages of a chat (https://en.wikipedia.org/wiki/Bloom_filter): their words, parts of words,
 * senders and mentioned users. False positives are possible, false negatives are not. Filters are stored in the
 * database: a change of their elements, including the folding of texts, needs a migration that empties
 * `message_search_filters` and sets `filtered_id` in `message_search_progress` to 0.
 */

/** Bits of a filter. With 32 messages of ten words each, one in five is set. */
export const FILTER_BITS = 8192;

/** The filter of one or more messages, or of a query. */
export type Filter = Buffer;

export const newFilter = (): Filter => Buffer.alloc(FILTER_BITS / 8);

/**
 * A cache of the kinds of UTF-16 units: 1 for a letter, a digit, a mark, or half of one; 2 for others; 0 for not
 * determined yet.
 */
const kinds = new Uint8Array(0x1_0000);
const [LETTER, OTHER] = [1, 2];
const IS_LETTER = /^[\p{L}\p{N}\p{M}\p{Cs}]$/u;

/**
 * The first unit of dense scripts, where two units carry much information: those without spaces, syllabaries, and
 * surrogates.
 */
const DENSE = 0x0e00;

/**
 * Lengths of the parts (n-grams) of other scripts: longer ones are more selective, shorter ones fit into short queries.
 */
const [SHORTEST, LONGEST] = [3, 5];

/**
 * Adds the parts of a folded text: each two consecutive letters of a dense script, each three to five of others.
 * Returns false if the text has none and the filter therefore excludes nothing.
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

/** Adds a word as PostgreSQL stores it: a lexeme. */
export function addWord(filter: Filter, word: string): void {
  addHash(filter, hashOf(word));
}

/** Adds the sender of a message, or a mentioned user. No word contains the first character. */
export const addSender = (filter: Filter, userId: UserId): void => addWord(filter, `\u0001s${userId}`);
export const addMention = (filter: Filter, userId: UserId): void => addWord(filter, `\u0001m${userId}`);

function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < word.length; at++) hash = mix(hash, word.charCodeAt(at));
  return hash;
}

/**
 * Mixes a unit into a hash. Only the high bits of the result are well distributed: the low bits of a product depend
 * only on the low bits of its factors.
 */
function mix(hash: number, unit: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15) ^ Math.imul(unit + 1, 0x85ebca6b), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** Sets four bits, so that few filters of other messages have all of them. */
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
