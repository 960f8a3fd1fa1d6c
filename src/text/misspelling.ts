/** Returns the first of the known words that `word` is a misspelling of; the case, `_` and `-` do not matter. */
export function correctionOf(word: string, known: Iterable<string>): string | undefined {
  const normal = normalised(word);
  return [...known].find((other) => isMisspelling(normal, normalised(other)));
}

const normalised = (word: string): string => word.replaceAll(/[_-]/g, '').toUpperCase();

/**
 * Returns true if the edit distance of two words is at most 1 (Damerau and Levenshtein): one character was inserted,
 * omitted or replaced, or two neighbours were swapped.
 */
function isMisspelling(one: string, other: string): boolean {
  const shorter = Math.min(one.length, other.length);
  let start = 0;
  while (start < shorter && one[start] === other[start]) start++;
  let end = 0;
  while (end < shorter - start && one.at(-1 - end) === other.at(-1 - end)) end++;
  const [a, b] = [one.slice(start, one.length - end), other.slice(start, other.length - end)];
  return Math.max(a.length, b.length) <= 1 || (a.length === 2 && b === `${a[1]}${a[0]}`);
}
