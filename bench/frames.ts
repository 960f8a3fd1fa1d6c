/*
 * What the generator has to know of a frame, found without parsing it.
 */

/** A reply ends with its id, an error begins with its flag; what is left is a push. */
export function kindOf(buffer: Buffer, start: number, end: number): 'reply' | 'push' | 'error' {
  if (buffer[start + 2] === 0x65) return 'error'; // {"e…
  return buffer[end - 2] === 0x7d ? 'push' : 'reply'; // …}} of params and frame, or …,"id":7}
}

const MESSAGE = Buffer.from('"message":"');
const ZERO = 0x30;
const NINE = 0x39;

/** The sender's index and the number of a message, with which its content begins, as in `3:17 Hello`. */
export function originOf(buffer: Buffer, start: number): [sender: number, n: number] {
  const [sender, at] = numberAt(buffer, buffer.indexOf(MESSAGE, start) + MESSAGE.length);
  const [n] = numberAt(buffer, at + 1);
  return [sender, n];
}

/** The id of a reply, which stands at its end. */
export function idOf(buffer: Buffer, end: number): number {
  let at = end - 1;
  while ((buffer[at - 1] ?? 0) >= ZERO && (buffer[at - 1] ?? 0) <= NINE) at--;
  return numberAt(buffer, at)[0];
}

/** The decimal number that begins at a place, and the place behind it. */
function numberAt(buffer: Buffer, at: number): [value: number, end: number] {
  let value = 0;
  let end = at;
  for (let byte = buffer[end] ?? 0; byte >= ZERO && byte <= NINE; byte = buffer[++end] ?? 0)
    value = value * 10 + byte - ZERO;
  return [value, end];
}
