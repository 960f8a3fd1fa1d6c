import { foldWithSources } from '../text/fold.ts';

/**
 * The marks that the database puts around hits: characters of the private use area, which its input does not contain.
 */
export const HIT_START = '\u{E000}';
export const HIT_END = '\u{E001}';
const MARKS = new RegExp(`[${HIT_START}${HIT_END}]`, 'g');

/** Characters shown before and after a hit. */
const CONTEXT = 60;
/** Maximum fragments of a content. */
const MAX_FRAGMENTS = 2;

export interface HighlightPart {
  readonly text: string;
  readonly hit: boolean;
}

/** A range of a text: the index of its first UTF-16 unit, and the index after its last. */
export type Range = readonly [start: number, end: number];

/**
 * Returns the ranges of a content that match a search: the words that the database marked in `headline`, the folded
 * content with marks, or, without marks, the first occurrence of the folded `text`.
 */
export function hitsIn(content: string, headline: string, text: string): Range[] {
  const { text: folded, sources } = foldWithSources(content);
  const isMarked = headline.replaceAll(MARKS, '').length === folded.length;
  const words = isMarked ? markedIn(headline) : [];
  const at = words.length > 0 || text === '' ? -1 : folded.indexOf(text);
  const found: Range[] = at < 0 ? words : [[at, at + text.length]];
  return found.map(([start, end]) => {
    let next = end;
    while (next < folded.length && sources[next] === sources[end - 1]) next++; // the rest of the last letter
    return [sources[start] ?? 0, next < folded.length ? (sources[next] ?? 0) : content.length];
  });
}

/** Returns the ranges between the marks as positions in the text without marks. */
function markedIn(headline: string): Range[] {
  const ranges: Range[] = [];
  let [start, marks] = [0, 0];
  for (const { 0: mark, index } of headline.matchAll(MARKS)) {
    if (mark === HIT_START) start = index - marks;
    else ranges.push([start, index - marks]);
    marks++;
  }
  return ranges;
}

/** A range of a content to show, and the hits that begin in it. */
interface Fragment {
  readonly range: Range;
  readonly hits: readonly Range[];
}

/** Returns the parts of a content around its first hits, or its beginning if there are none. */
export function highlight(content: string, hits: readonly Range[]): HighlightPart[] {
  const pieces: HighlightPart[] = [];
  let shown = 0; // up to here, of the content
  for (const { range, hits: inside } of fragmentsOf(content, hits)) {
    const [start, end] = range;
    if (start > shown) pieces.push(part(shown === 0 ? '… ' : ' … ', false));
    let at = start;
    for (const hit of inside) {
      pieces.push(
        part(content.slice(at, hit[0]), false),
        part(content.slice(Math.max(at, hit[0]), hit[1]), true),
      );
      at = Math.max(at, hit[1]);
    }
    pieces.push(part(content.slice(at, end), false));
    shown = end;
  }
  if (shown < content.length) pieces.push(part(' …', false));
  return joined(pieces);
}

/** Returns the fragments around the first hits, none overlapping another; the beginning if there are no hits. */
function fragmentsOf(content: string, hits: readonly Range[]): Fragment[] {
  if (hits.length === 0) return [{ range: [0, after(content, 0)], hits }];
  const fragments: Fragment[] = [];
  let start = 0;
  let next = 0;
  for (let first = hits[0]; first && fragments.length < MAX_FRAGMENTS; first = hits[next]) {
    start = Math.max(start, before(content, first[0]));
    let end = after(content, first[1]);
    const inside: Range[] = [];
    for (let hit = hits[next]; hit && hit[0] < end; hit = hits[++next]) {
      inside.push(hit);
      end = Math.max(end, hit[1]);
    }
    fragments.push({ range: [start, end], hits: inside });
    start = end;
  }
  return fragments;
}

// A character has at most two units, so one cut in the middle is never among those that are kept.
const before = (content: string, start: number): number =>
  start - [...content.slice(Math.max(0, start - 2 * CONTEXT), start)].slice(-CONTEXT).join('').length;
const after = (content: string, end: number): number =>
  end + [...content.slice(end, end + 2 * CONTEXT)].slice(0, CONTEXT).join('').length;

/** Removes empty parts and joins neighbours of the same kind. */
function joined(pieces: readonly HighlightPart[]): HighlightPart[] {
  const parts: HighlightPart[] = [];
  for (const piece of pieces) {
    const last = parts.at(-1);
    if (piece.text === '') continue;
    if (last?.hit === piece.hit) parts[parts.length - 1] = part(last.text + piece.text, piece.hit);
    else parts.push(piece);
  }
  return parts;
}

const part = (text: string, hit: boolean): HighlightPart => ({ text, hit });
