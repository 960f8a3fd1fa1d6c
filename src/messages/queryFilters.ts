import { addMention, addParts, addSender, addWord, type Filter, newFilter } from '../text/parts.ts';

/** What somebody looks for. */
export interface Wanted {
  /** The words, as PostgreSQL writes a `tsquery`. */
  readonly words: string;
  /** To be found within words; null where nothing is left of it once it is folded. */
  readonly text: string | null;
  readonly senderId?: number | undefined;
  /** Somebody whom the message mentions. */
  readonly mentioned?: number | undefined;
}

/** Filters in hexadecimal digits, of which messages have one at least. */
export const MAX_FILTERS = 4;

/**
 * Returns filters, of which messages that are found have all bits of one: {@link MAX_FILTERS} at most. Where anything may
 * be found, one has no bits but those of the sender and the mention.
 */
export function filtersOf({ words, text, senderId, mentioned }: Wanted): string[] {
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

/** Bits of a filter that are looked at one by one. */
export const CHECKED_BITS = 8;

/**
 * Returns how filters are compared with those of messages, as the statement takes it: whether there is one, its bits one
 * by one as far as there is room for them, and the filter where there are more; {@link MAX_FILTERS} of each.
 */
export function comparisonsOf(filters: readonly string[]): [boolean[], (number | null)[], (string | null)[]] {
  const all = Array.from({ length: MAX_FILTERS }, (_, index) => filters[index]);
  const bits = all.map((filter = '') => bitsOf(filter));
  return [
    all.map((filter) => filter !== undefined),
    // from all over it
    bits.flatMap((set) => {
      const step = Math.max(1, set.length / CHECKED_BITS);
      return Array.from({ length: CHECKED_BITS }, (_, n) => set[Math.floor(n * step)] ?? null);
    }),
    all.map((filter, index) => ((bits[index]?.length ?? 0) > CHECKED_BITS && filter) || null),
  ];
}

/** Returns the numbers of the bits that are set. */
function bitsOf(filter: string): number[] {
  return [...filter].flatMap((digit, index) =>
    [0, 1, 2, 3].filter((bit) => Number.parseInt(digit, 16) & (8 >> bit)).map((bit) => index * 4 + bit),
  );
}

/** Lists of words: what matches has all words of one of them at least. Where there are none, nothing matches. */
type Alternatives = readonly (readonly string[])[];

const ANYTHING: Alternatives = [[]];
/** Beside the filter of the text. */
const MAX_ALTERNATIVES = MAX_FILTERS - 1;

const TOKEN = /\s*(?:'((?:[^'\\]|''|\\.)*)'[:*A-D]*|(<(?:-|\d+)>|[&|!()]))/gsy;

/** Returns the words that a `tsquery` takes; what it excludes, and too many alternatives, may be anything. */
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

/** Either side alone is asked for where together they are too many. */
function both(left: Alternatives, right: Alternatives): Alternatives {
  const found = left.flatMap((words) => right.map((more) => [...words, ...more]));
  if (found.length <= MAX_ALTERNATIVES) return found;
  return left.length < right.length ? left : right;
}
