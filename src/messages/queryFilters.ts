import type { UserId } from '../ids.ts';
import { addMention, addParts, addSender, addWord, type Filter, newFilter } from '../text/bloomFilter.ts';

/** The terms of a search. */
export interface SearchTerms {
  /** The words as a `tsquery` of PostgreSQL. */
  readonly words: string;
  /** A text to find within words; null if it is empty when folded. */
  readonly text: string | null;
  readonly senderId?: UserId | undefined;
  /** A mentioned user. */
  readonly mentioned?: UserId | undefined;
}

/** Maximum filters of a search. A message matches if it has all bits of at least one. */
export const MAX_FILTERS = 4;

/**
 * Returns at most {@link MAX_FILTERS} filters in hexadecimal digits; each matching message has all bits of one of them.
 * If nothing can be excluded, a filter has only the bits of the sender and the mention.
 */
export function filtersOf({ words, text, senderId, mentioned }: SearchTerms): string[] {
  const filters = alternativesOf(words).map((alternative) => {
    const filter = newFilter();
    for (const word of alternative) addWord(filter, word);
    return filter;
  });
  if (text !== null) {
    const filter = newFilter();
    addParts(filter, text);
    filters.push(filter);
  }
  for (const filter of filters) {
    if (senderId !== undefined) addSender(filter, senderId);
    if (mentioned !== undefined) addMention(filter, mentioned);
  }
  return filters.map((filter: Filter) => filter.toString('hex'));
}

/** Bits of a filter that are compared one by one. */
export const CHECKED_BITS = 8;

/**
 * Returns the parameters with which filters are compared with those of messages, {@link MAX_FILTERS} of each: whether
 * there is a filter, up to {@link CHECKED_BITS} of its bits, and the whole filter if it has more.
 */
export function comparisonsOf(filters: readonly string[]): [boolean[], (number | null)[], (string | null)[]] {
  const all = Array.from({ length: MAX_FILTERS }, (_, index) => filters[index]);
  const bits = all.map((filter = '') => bitsOf(filter));
  return [
    all.map((filter) => filter !== undefined),
    // evenly spaced over the filter
    bits.flatMap((set) => {
      const step = Math.max(1, set.length / CHECKED_BITS);
      return Array.from({ length: CHECKED_BITS }, (_, n) => set[Math.floor(n * step)] ?? null);
    }),
    all.map((filter, index) => ((bits[index]?.length ?? 0) > CHECKED_BITS && filter) || null),
  ];
}

/** Returns the indexes of the set bits. */
function bitsOf(filter: string): number[] {
  return [...filter].flatMap((digit, index) =>
    [0, 1, 2, 3].filter((bit) => Number.parseInt(digit, 16) & (8 >> bit)).map((bit) => index * 4 + bit),
  );
}

/** Lists of words: a match contains all words of at least one list. Without lists, nothing matches. */
type Alternatives = readonly (readonly string[])[];

const ANYTHING: Alternatives = [[]];
/** One filter is reserved for the text. */
const MAX_ALTERNATIVES = MAX_FILTERS - 1;

const TOKEN = /\s*(?:'((?:[^'\\]|''|\\.)*)'[:*A-D]*|(<(?:-|\d+)>|[&|!()]))/gsy;

/** Returns the words that a `tsquery` requires. Excluded words, and too many alternatives, match anything. */
export function alternativesOf(query: string): Alternatives {
  const tokens = [...query.matchAll(TOKEN)];
  let at = 0;
  const next = () => tokens[at]?.[2];

  const any = (): Alternatives => {
    const found = [all()];
    for (; next() === '|'; found.push(all())) at++;
    const alternatives = found.flat();
    return alternatives.length > MAX_ALTERNATIVES ? ANYTHING : alternatives;
  };
  const all = (): Alternatives => {
    let found = one();
    while (next() === '&' || next()?.startsWith('<')) {
      at++;
      found = both(found, one());
    }
    return found;
  };
  const one = (): Alternatives => {
    const [, word, sign] = tokens[at++] ?? [];
    if (word !== undefined) return [[word.replaceAll(/''|\\(.)/gs, (pair, escaped) => escaped ?? pair[0])]];
    if (sign === '!') {
      one();
      return ANYTHING;
    }
    const found = any();
    at++; // the bracket
    return found;
  };
  return tokens.length === 0 ? [] : any();
}

/** Combines two sides. If there are too many combinations, only one side is required. */
function both(left: Alternatives, right: Alternatives): Alternatives {
  const found = left.flatMap((words) => right.map((more) => [...words, ...more]));
  if (found.length <= MAX_ALTERNATIVES) return found;
  return left.length < right.length ? left : right;
}
