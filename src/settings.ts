/** Variables that are no settings of ours, and that Node and libraries read. */
const OTHERS = ['NODE_ENV', 'NODE_EXTRA_CA_CERTS', 'TZ', 'UV_THREADPOOL_SIZE', 'UWS_HTTP_MAX_HEADERS_SIZE'];
const OF_LIBRARIES = /^OTEL_/;

type Names = Iterable<string>;

/**
 * Returns a warning for each variable that was probably meant to be one of the `settings`: of the `environment`, where
 * most variables are for other programs, those that differ from a setting by one slip of the hand; of the file `.env`,
 * which is ours, all that are none.
 */
export function settingWarnings(settings: readonly string[], environment: Names, file: Names): string[] {
  const known = new Set([...settings, ...OTHERS]);
  const inFile = new Set(file);
  return [...new Set([...environment, ...inFile])].flatMap((name) => {
    if (known.has(name) || OF_LIBRARIES.test(name)) return [];
    const meant = [...known].find((setting) => isOneSlip(bare(name), bare(setting)));
    if (meant) return [`${name} is not a setting of Parley; did you mean ${meant}?`];
    return inFile.has(name) ? [`${name} is not a setting of Parley`] : [];
  });
}

const bare = (name: string): string => name.replaceAll(/[_-]/g, '').toUpperCase();

/**
 * Returns whether two words are the same but for one character that was inserted, left out or replaced, or for two
 * neighbours that changed places: an edit distance of at most 1 (Damerau and Levenshtein).
 */
function isOneSlip(one: string, other: string): boolean {
  const shorter = Math.min(one.length, other.length);
  let start = 0;
  while (start < shorter && one[start] === other[start]) start++;
  let end = 0;
  while (end < shorter - start && one.at(-1 - end) === other.at(-1 - end)) end++;
  const [a, b] = [one.slice(start, one.length - end), other.slice(start, other.length - end)];
  return Math.max(a.length, b.length) <= 1 || (a.length === 2 && b === `${a[1]}${a[0]}`);
}
