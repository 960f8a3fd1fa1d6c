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

/** The first place where the content has the query, whatever case and accents, with what stands around it. */
export function highlightPlain(content: string, query: string): HighlightPart[] {
  const letters = [...content];
  const folded = letters.map(fold);
  const [start, end] = place(folded, fold(query)) ?? [0, 0];
  const text = (from: number, to: number) => letters.slice(from, to).join('');
  const [first, last] = [Math.max(0, start - AROUND), Math.min(letters.length, end + AROUND)];
  return [
    part(`${first > 0 ? '… ' : ''}${text(first, start)}`, false),
    part(text(start, end), true),
    part(`${text(end, last)}${last < letters.length ? ' …' : ''}`, false),
  ].filter((piece) => piece.text !== '');
}

/** Where a text stands among letters that may be longer once folded: the indices of its first letter and behind its last. */
function place(letters: readonly string[], text: string): [start: number, end: number] | undefined {
  const at = letters.join('').indexOf(text);
  if (at < 0) return undefined;
  const indexOf = (position: number) => {
    let index = 0;
    for (let length = 0; length < position; index++) length += letters[index]?.length ?? 1;
    return index;
  };
  return [indexOf(at), indexOf(at + text.length)];
}

/** Close to what `folded` of the database does. */
const fold = (text: string) => text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
const part = (text: string, hit: boolean): HighlightPart => ({ text, hit });
