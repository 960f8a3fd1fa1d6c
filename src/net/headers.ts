import type { HttpRequest } from 'uWebSockets.js';

/** The headers of a request, by their names in lower case. They stay valid when the request is not any more. */
export interface RequestHeaders {
  /** Returns the value of a header, with all of its lines joined in their order (RFC 9110, 5.3); empty where it is missing. */
  get(name: string): string;
  /** Returns the lines of a header: none where it is missing, an empty one where it has no value. */
  lines(name: string): readonly string[];
}

/**
 * Reads the headers of a request while it is valid. The only way to read them: `getHeader` of the library returns the
 * first line alone, and decisions about trust must not depend on which of several lines is read.
 */
export function readHeaders(req: HttpRequest): RequestHeaders {
  const all = new Map<string, string[]>();
  req.forEach((name, value) => {
    const lines = all.get(name);
    if (lines) lines.push(value);
    else all.set(name, [value]);
  });
  return {
    get: (name) => all.get(name)?.join(', ') ?? '',
    lines: (name) => all.get(name) ?? [],
  };
}
