/* Finds the properties of a frame that the load generator needs without parsing it. */

/** Returns the kind of a frame: a reply ends with its id, an error begins with its flag, and all others are pushes. */
export function kindOf(buffer: Buffer, start: number, end: number): 'reply' | 'push' | 'error' {
  if (buffer[start + 2] === 0x65) return 'error'; // {"e…
  return buffer[end - 2] === 0x7d ? 'push' : 'reply'; // …}} of params and frame, or …,"id":7}
}

const MESSAGE = Buffer.from('"message":"');
const ZERO = 0x30;
const NINE = 0x39;

/** Returns the sender's index and the number of a message, with which its content begins, as in `3:17 Hello`. */
export function originOf(buffer: Buffer, start: number): [sender: number, n: number] {
  const [sender, at] = numberAt(buffer, buffer.indexOf(MESSAGE, start) + MESSAGE.length);
  const [n] = numberAt(buffer, at + 1);
  return [sender, n];
}

/** Returns the id at the end of a reply. */
export function idOf(buffer: Buffer, end: number): number {
  let at = end - 1;
  while ((buffer[at - 1] ?? 0) >= ZERO && (buffer[at - 1] ?? 0) <= NINE) at--;
  return numberAt(buffer, at)[0];
}

/** Returns the decimal number at an index, and the index after it. */
function numberAt(buffer: Buffer, at: number): [value: number, end: number] {
  let value = 0;
  let end = at;
  for (let byte = buffer[end] ?? 0; byte >= ZERO && byte <= NINE; byte = buffer[++end] ?? 0)
    value = value * 10 + byte - ZERO;
  return [value, end];
}
