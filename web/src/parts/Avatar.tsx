import type { Presence } from '../../../src/client/index.ts';

const COLOURS = 8;

/** The initials of a name, in a colour that derives from it. */
export function Avatar({
  name,
  presence,
  square = false,
}: {
  name: string;
  presence?: Presence | undefined;
  square?: boolean;
}) {
  const [first = '?', second = ''] = name
    .split(/[\s._-]+/)
    .filter(Boolean)
    .map(([letter]) => letter);
  const hash = [...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) >>> 0, 7);
  return (
    <span class={`avatar colour-${hash % COLOURS}${square ? ' square' : ''}`} aria-hidden="true">
      {(first + second).toUpperCase()}
      {presence?.online && <span class="online" />}
    </span>
  );
}
