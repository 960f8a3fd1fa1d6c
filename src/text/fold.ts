/*
 * Defines which texts count as equal. All comparisons use this file and never the locale of a database, which differs
 * between databases.
 */

/** Incremented whenever texts fold differently: stored folded texts are then computed again. */
export const FOLD_VERSION = 1;

/**
 * Folds a text for comparison: without case, compatibility variants and invisible characters. This is NFKC_Casefold of
 * Unicode (https://www.unicode.org/reports/tr44/#NFKC_Casefold), so accents stay. Folding is idempotent.
 */
export function fold(text: string): string {
  if (isAscii(text)) return text.toLowerCase();
  if (isFolded(text)) return text;
  // Twice, because characters that one step composes or decomposes may have a case or be ignorable.
  return foldOnce(foldOnce(text)).normalize('NFKC');
}

/**
 * Folds a name of several words; also removes spaces at its ends and repeated spaces. The blank pattern of Braille and
 * control characters, which old names may contain, count as spaces.
 */
export function foldName(name: string): string {
  return fold(name)
    .replaceAll(/[\s\p{Cc}\u2800]+/gu, ' ')
    .trim();
}

function foldOnce(text: string): string {
  return text
    .normalize('NFKC')
    .replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '')
    .replaceAll(/[^ı]+/g, (cased) => cased.toLowerCase().toUpperCase().toLowerCase()) // ẞ and ß become ss, ᾳ αι
    .replaceAll('ς', 'σ');
}

const CHANGES = /\p{Changes_When_NFKC_Casefolded}/u;

/** Returns true if a quick check shows that a text folds to itself, as most texts in scripts without case do. */
const isFolded = (text: string): boolean =>
  !CHANGES.test(text) && text.toLowerCase() === text && text.normalize('NFKC') === text;

/** Returns true if a text is ASCII, where folding only changes case. */
function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are ASCII as well
  return /^[\x00-\x7f]*$/.test(text);
}

/** Marks that search ignores: accents, niqqud, harakat; but not the dakuten of kana. */
const ACCENTS =
  /[[\p{Mn}&&[\p{sc=Zinh}\p{sc=Hebrew}\p{sc=Arabic}\p{sc=Syriac}\p{sc=Cyrillic}]]--[\u3099\u309A]]|\u0640/gv;

/** Letters and signs for which people type others in a search, although Unicode does not decompose them. */
const LOOK_ALIKE = new Map(
  Object.entries({
    ...{
      æ: 'ae',
      œ: 'oe',
      ø: 'o',
      þ: 'th',
      ð: 'd',
      đ: 'd',
      ɖ: 'd',
      ɗ: 'd',
      ħ: 'h',
      ı: 'i',
      ł: 'l',
      ŋ: 'n',
      ɲ: 'n',
    },
    ...{
      ŧ: 't',
      ƀ: 'b',
      ɓ: 'b',
      ƈ: 'c',
      ƒ: 'f',
      ɠ: 'g',
      ǥ: 'g',
      ɨ: 'i',
      ƙ: 'k',
      ƥ: 'p',
      ʉ: 'u',
      ʋ: 'v',
      ƴ: 'y',
      ƶ: 'z',
    },
    ...{
      '‘': "'",
      '’': "'",
      '‚': "'",
      '‛': "'",
      ʼ: "'",
      ʻ: "'",
      '′': "'",
      '“': '"',
      '”': '"',
      '„': '"',
      '‟': '"',
    },
    ...{ '‐': '-', '‑': '-', '‒': '-', '–': '-', '—': '-', '―': '-', '−': '-' },
    ...{ ё: 'е', ѐ: 'е', ѝ: 'и' },
  }),
);

/** Folds like {@link fold} and removes accents. Precomposed Cyrillic letters such as й do not count as accented. */
function foldSegment(text: string): string {
  const folded = fold(text);
  const bare = /\p{sc=Cyrillic}/u.test(folded) ? folded : folded.normalize('NFD');
  return [...bare.replaceAll(ACCENTS, '').normalize('NFC')]
    .map((sign) => LOOK_ALIKE.get(sign) ?? sign)
    .join('');
}

/** A folded text with the positions of its letters in the source. */
export interface FoldedText {
  readonly text: string;
  /** For each UTF-16 unit of `text`, the index of its letter in the source. Valid until the next text is folded. */
  readonly sources: Uint32Array;
}

/** Folds a text for search: like {@link fold}, and without accents and other marks that people omit. */
export function foldForSearch(text: string): string {
  return isAscii(text) ? text.toLowerCase() : foldWithSources(text).text;
}

/**
 * Characters that continue the preceding letter: marks, ignorable characters, and parts of Hangul, half-width kana and
 * Kirat Rai.
 */
const CONTINUES =
  /^[\p{M}\p{Default_Ignorable_Code_Point}\u1160-\u11FF\uD7B0-\uD7FF\u3131-\u318E\uFF9E\uFF9F\uFFA0-\uFFDC\u{16D67}]$/u;

/** Caches for UTF-16 units: whether a unit continues a letter, and its folded form on its own. */
const continuing = new Uint8Array(0x1_0000);
const [UNKNOWN, YES, NO] = [0, 1, 2];
const foldedUnits = new Array<string | undefined>(0x1_0000);
/** A cache of the folded forms of longer letters. */
const foldedLetters = new Map<string, string>();
const MAX_LETTERS = 20_000;
const MAX_LETTER_LENGTH = 16;
/**
 * Maximum units of a letter with its marks, more than any language needs. The time to order marks grows with the
 * square.
 */
const LONGEST_LETTER = 32;

let [units, sources] = [new Uint16Array(), new Uint32Array()];

/**
 * Folds a text for search and returns `sources` as well. Letters are folded one by one with a cache, so a hundred of
 * the longest contents take milliseconds in any script.
 */
export function foldWithSources(text: string): FoldedText {
  let length = 0;
  for (let start = 0, end = 0; start < text.length; start = end) {
    end = endOfLetter(text, start);
    const folded = foldLetter(text, start, end);
    makeRoom(length + folded.length);
    for (let at = 0; at < folded.length; at++) {
      units[length] = folded.charCodeAt(at);
      sources[length++] = start;
    }
  }
  return { text: Buffer.from(units.buffer, 0, 2 * length).toString('utf16le'), sources };
}

function makeRoom(length: number): void {
  if (length <= units.length) return;
  const [oldUnits, oldSources] = [units, sources];
  [units, sources] = [new Uint16Array(2 * length), new Uint32Array(2 * length)];
  units.set(oldUnits);
  sources.set(oldSources);
}

/** Returns the index after a letter and its marks. */
function endOfLetter(text: string, start: number): number {
  let end = behind(text, start);
  const limit = Math.min(text.length, start + LONGEST_LETTER);
  while (end < limit && continues(text, end)) end = behind(text, end);
  return end;
}

const isHighSurrogate = (unit: number): boolean => (unit & 0xfc00) === 0xd800;

const behind = (text: string, index: number): number =>
  index + (isHighSurrogate(text.charCodeAt(index)) && index + 1 < text.length ? 2 : 1);

function continues(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  if (isHighSurrogate(unit)) return CONTINUES.test(text.slice(index, index + 2));
  if (continuing[unit] === UNKNOWN) continuing[unit] = CONTINUES.test(text[index] ?? '') ? YES : NO;
  return continuing[unit] === YES;
}

function foldLetter(text: string, start: number, end: number): string {
  const letter = text.slice(start, end);
  if (letter.length === 1) {
    const unit = text.charCodeAt(start);
    const folded = foldedUnits[unit] ?? foldSegment(letter);
    foldedUnits[unit] = folded;
    return folded;
  }
  const known = foldedLetters.get(letter);
  if (known !== undefined) return known;
  const folded = foldSegment(letter);
  if (foldedLetters.size >= MAX_LETTERS) foldedLetters.clear();
  if (letter.length <= MAX_LETTER_LENGTH) foldedLetters.set(letter, folded);
  return folded;
}

/**
 * Replaces each unit of signs outside of ASCII in a folded text by a space, because databases with different locales
 * separate words at different signs.
 */
export function wordsOf(folded: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII stays unchanged
  return folded.replaceAll(/[^\x00-\x7f\p{L}\p{N}\p{M}]/gu, (sign) => ' '.repeat(sign.length));
}
