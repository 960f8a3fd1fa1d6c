/** What the database puts around hits: characters of the private use area, taken out of contents before. */
export const HIT_START = '\u{E000}';
export const HIT_END = '\u{E001}';

/** Characters shown before and after a part of a word that was found. */
const AROUND = 60;

export interface HighlightPart {
  readonly text: string;
  readonly hit: boolean;
}

/** The pieces of a text with marks; undefined when it has none. */
export function highlightParts(headline: string): HighlightPart[] | undefined {
  if (!headline.includes(HIT_START)) return undefined;
  const pieces = headline.split(HIT_START).flatMap((piece, index) => {
    const [hit = '', rest = ''] = index === 0 ? ['', piece] : piece.split(HIT_END);
    return [part(hit, true), part(rest, false)];
  });
  return pieces.filter(({ text }) => text !== '');
}

/** Returns the first place where the content has the query, whatever case and accents, with what stands around it. */
export function highlightPlain(content: string, query: string, fold = foldText): HighlightPart[] {
  const [start, end] = find(content, query, fold) ?? [0, 0];
  // a letter has at most two units, so what is cut in the middle is not among the last or first of them
  const before = [...content.slice(Math.max(0, start - 2 * AROUND), start)].slice(-AROUND).join('');
  const after = [...content.slice(end, end + 2 * AROUND)].slice(0, AROUND).join('');
  return [
    part(`${start > before.length ? '… ' : ''}${before}`, false),
    part(content.slice(start, end), true),
    part(`${after}${end + after.length < content.length ? ' …' : ''}`, false),
  ].filter((piece) => piece.text !== '');
}

/** Returns where the content has a text, both compared folded: the indices of its first unit and behind its last. */
function find(content: string, text: string, fold: Fold): [start: number, end: number] | undefined {
  const wanted = fold(text).text;
  const folded = fold(content);
  const at = folded.text.indexOf(wanted);
  if (at < 0 || wanted === '') return undefined;
  const start = folded.sources[at] ?? 0;
  let end = (folded.sources[at + wanted.length - 1] ?? 0) + 1;
  const isLast = at + wanted.length === folded.text.length;
  const next = isLast ? content.length : (folded.sources[at + wanted.length] ?? 0);
  while (end < next && MARK.test(content[end] ?? '')) end++; // the accents of the last letter
  return [start, end];
}

/**
 * Folds a text; `sources` has for each unit of the folded text the index of the unit it comes from, until the next text is
 * folded.
 */
type Fold = (text: string) => { readonly text: string; readonly sources: Uint32Array };

/** UTF-16 units that one becomes by folding, at most. */
const MAX_UNITS = 4;

/**
 * Makes a function that folds texts unit by unit, each as it was folded the first time: a hundred of the longest contents
 * take a few milliseconds, in any script.
 */
export function createFold(foldUnit: (unit: string) => string = foldLetter): Fold {
  const known = new Array<string | undefined>(0x1_0000);
  let [units, sources] = [new Uint16Array(), new Uint32Array()];
  return (text) => {
    const room = text.length * MAX_UNITS;
    if (units.length < room) [units, sources] = [new Uint16Array(room), new Uint32Array(room)];
    let length = 0;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      let folded = known[code];
      if (folded === undefined) {
        folded = foldUnit(text[index] ?? '');
        known[code] = folded;
      }
      for (let at = 0; at < folded.length; at++) {
        units[length] = folded.charCodeAt(at);
        sources[length++] = index;
      }
    }
    return { text: Buffer.from(units.buffer, 0, 2 * length).toString('utf16le'), sources };
  };
}

const MARK = /\p{M}/u;

/** Folds a letter, close to what `folded` of the database does: without case and accents. */
function foldLetter(letter: string): string {
  return letter
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replace('ς', 'σ')
    .slice(0, MAX_UNITS);
}

const foldText = createFold();
const part = (text: string, hit: boolean): HighlightPart => ({ text, hit });
