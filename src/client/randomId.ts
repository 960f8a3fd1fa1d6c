/** Returns 128 random bits as text. `crypto.randomUUID` is missing in pages that are not served over TLS. */
export function randomId(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-');
}
