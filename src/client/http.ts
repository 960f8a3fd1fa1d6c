import { type ErrorCode, ParleyError } from './errors.ts';
import { httpUrl } from './urls.ts';

/** The JSON of a refusal. */
export interface Refusal {
  readonly code?: ErrorCode;
  readonly message?: string;
}

/**
 * Sends an HTTP request to a path of the server at `url`, and resolves to the JSON of the response. Rejects with a
 * {@link ParleyError}: with the code of the server, or if there is none, as from a proxy, with `UNAUTHORIZED` for a 401 and
 * `UNAVAILABLE` for everything else.
 */
export async function callHttp<Answer>(
  url: string,
  method: string,
  path: string,
  body: object,
  token?: string,
  signal?: AbortSignal,
): Promise<Answer> {
  const response = await fetch(httpUrl(url, path), {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
    signal: signal ?? null,
  }).catch((error) => {
    throw new ParleyError('UNAVAILABLE', `The server cannot be reached: ${error.message}`);
  });
  const answer = await response.json().catch(() => {}); // no body, or no JSON
  if (response.ok) return answer;
  throw refusal(response.status, answer, response.headers.get('retry-after'));
}

/** Returns the error of a response that is none of success: with the code in its JSON, or with one for its status. */
export function refusal(
  status: number,
  answer: Refusal | undefined,
  retryAfter: string | null | undefined,
): ParleyError {
  const {
    code = status === 401 ? 'UNAUTHORIZED' : 'UNAVAILABLE',
    message = `The server answered ${status}`,
  }: Refusal = answer ?? {};
  return new ParleyError(code, message, Number(retryAfter) || undefined);
}
