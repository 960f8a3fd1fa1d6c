import type { HttpRequest } from 'uWebSockets.js';

/**
 * Returns the value of a header, with all of its lines joined in their order (RFC 9110, 5.3); empty where it is missing.
 * `getHeader` returns the first line alone: what decides about trust must not depend on which of several one looks at.
 * `name` is in lower case; to be called while the request is valid.
 */
export function headerOf(req: HttpRequest, name: string): string {
  const lines: string[] = [];
  req.forEach((key, value) => {
    if (key === name) lines.push(value);
  });
  return lines.join(', ');
}
