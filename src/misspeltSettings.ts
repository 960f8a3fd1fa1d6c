import { correctionOf } from './text/misspelling.ts';

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
    const meant = correctionOf(name, known);
    if (meant) return [`${name} is not a setting of Parley; did you mean ${meant}?`];
    return inFile.has(name) ? [`${name} is not a setting of Parley`] : [];
  });
}
