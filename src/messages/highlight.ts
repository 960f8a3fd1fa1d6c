import { setImmediate } from 'node:timers/promises';

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
function highlightParts(headline: string): HighlightPart[] | undefined {
  if (!headline.includes(HIT_START)) return undefined;
  const pieces = headline.split(HIT_START).flatMap((piece, index) => {
    const [hit = '', rest = ''] = index === 0 ? ['', piece] : piece.split(HIT_END);
    return [part(hit, true), part(rest, false)];
  });
  return pieces.filter(({ text }) => text !== '');
}

/** Letters that are folded before others have their turn of the event loop: a few milliseconds at most. */
const LETTERS_PER_TURN = 20_000;
/** Pieces are folded at once; only the two with the ends of a hit are folded letter by letter. */
const PIECES = /.{1,64}/gsu;

/** Folds a text, close to what `folded` of the database does: without case and accents. */
const fold = (text: string) =>
  text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase().replaceAll('ς', 'σ');

/**
 * Returns what marks hits of a search, one after another: the words that the database marked in the headline, or the
 * first place where the content has the query, with what stands around it. `pause` resolves when others had their turn.
 */
export function createHighlighter(
  query: string,
  pause: () => Promise<unknown> = setImmediate,
): (headline: string, content: string) => Promise<HighlightPart[]> {
  let letters = 0;
  return async (headline, content) => {
    const parts = highlightParts(headline);
    if (parts) return parts;
    letters += content.length;
    if (letters > LETTERS_PER_TURN) {
      letters = content.length;
      await pause();
    }
    return highlightPlain(content, query);
  };
}

/** Returns the first place where the content has the query, whatever case and accents, with what stands around it. */
export function highlightPlain(content: string, query: string, folded = fold): HighlightPart[] {
  const [start, end] = find(content, query, folded) ?? [0, 0];
  // a letter has at most two units, so what is cut in the middle is not among the last or first of them
  const before = [...content.slice(Math.max(0, start - 2 * AROUND), start)].slice(-AROUND).join('');
  const after = [...content.slice(end, end + 2 * AROUND)].slice(0, AROUND).join('');
  return [
    part(`${start > before.length ? '… ' : ''}${before}`, false),
    part(content.slice(start, end), true),
    part(`${after}${end + after.length < content.length ? ' …' : ''}`, false),
  ].filter((piece) => piece.text !== '');
}

/** Returns where a text stands in the content, both compared folded: the indices of its first letter and behind its last. */
function find(content: string, text: string, folded: typeof fold): [start: number, end: number] | undefined {
  const pieces = content.match(PIECES) ?? [];
  const foldedPieces = pieces.map(folded);
  const wanted = folded(text);
  const at = foldedPieces.join('').indexOf(wanted);
  if (at < 0) return undefined;
  return [unfolded(at)[0], unfolded(at + wanted.length)[1]];

  /** Returns the index in the content of the letter that a position of the folded content is in, and the index behind what ends there. */
  function unfolded(position: number): [start: number, end: number] {
    let [index, length, piece] = [0, 0, 0];
    for (; length + (foldedPieces[piece]?.length ?? Number.NaN) <= position; piece++) {
      length += foldedPieces[piece]?.length ?? 0;
      index += pieces[piece]?.length ?? 0;
    }
    for (const letter of pieces[piece] ?? '') {
      const next = length + folded(letter).length;
      if (next > position) return [index, length < position ? index + letter.length : index];
      length = next;
      index += letter.length;
    }
    return [index, index];
  }
}

const part = (text: string, hit: boolean): HighlightPart => ({ text, hit });
