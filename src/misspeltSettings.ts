/** Variables that are not settings of Parley and that Node and libraries read. */
const OTHERS = ['NODE_ENV', 'NODE_EXTRA_CA_CERTS', 'TZ', 'UV_THREADPOOL_SIZE', 'UWS_HTTP_MAX_HEADERS_SIZE'];
const OF_LIBRARIES = /^OTEL_/;

type Names = Iterable<string>;

/**
 * Returns a warning for each variable that is probably a misspelt setting. In the `environment`, where most variables
 * belong to other programs, these are the variables at an edit distance of 1 from a setting; in the file `.env`, all
 * unknown variables.
 */
export function settingWarnings(settings: readonly string[], environment: Names, file: Names): string[] {
  const known = new Set([...settings, ...OTHERS]);
  const inFile = new Set(file);
  return [...new Set([...environment, ...inFile])].flatMap((name) => {
    if (known.has(name) || OF_LIBRARIES.test(name)) return [];
    const meant = [...known].find((setting) => isMisspelling(normalised(name), normalised(setting)));
    if (meant) return [`${name} is not a setting of Parley; did you mean ${meant}?`];
    return inFile.has(name) ? [`${name} is not a setting of Parley`] : [];
  });
}

const normalised = (name: string): string => name.replaceAll(/[_-]/g, '').toUpperCase();

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
