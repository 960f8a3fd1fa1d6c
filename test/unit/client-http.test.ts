import { mock } from 'node:test';
import { expect } from 'chai';
import type { ParleyError } from '../../src/client/errors.ts';
import { callHttp } from '../../src/client/http.ts';

describe('an HTTP call of the typed client', () => {
  /** The next response; undefined if the server cannot be reached. */
  let response: Response | undefined;
  let requests: (readonly [url: string, init: RequestInit])[];
  beforeEach(() => {
    requests = [];
    response = undefined;
    mock.method(globalThis, 'fetch', async (url: string, init: RequestInit) => {
      requests.push([url, init]);
      if (!response) throw new TypeError('fetch failed');
      return response;
    });
  });

  const call = (token?: string, signal?: AbortSignal) =>
    callHttp('ws://localhost/chat', 'PATCH', 'users/me', { about: 'Engines' }, token, signal);
  const refusal = (refused?: Response): Promise<ParleyError> => {
    response = refused;
    return call().then(
      () => expect.fail('was not refused'),
      (error: ParleyError) => error,
    );
  };

  it('has the token if there is one, a JSON body and its signal', async () => {
    const { signal } = new AbortController();
    response = Response.json({ a: 1 });
    expect(await call('t', signal)).to.deep.equal({ a: 1 });
    response = new Response(null, { status: 204 });
    expect(await call()).to.equal(undefined);
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'PATCH', body: '{"about":"Engines"}' };
    const url = 'http://localhost/chat/users/me';
    expect(requests).to.deep.equal([
      [url, { ...request, headers: { ...headers, authorization: 'Bearer t' }, signal }],
      [url, { ...request, headers, signal: null }],
    ]);
    expect(requests[0]?.[1].signal).to.equal(signal);
  });

  it('rejects with the code, the message and the seconds of the server', async () => {
    const refused = { code: 'CONFLICT', message: 'This username is taken' };
    const headers = { 'retry-after': '7' };
    const error = await refusal(Response.json(refused, { status: 409, headers }));
    expect(error).to.include({ name: 'ParleyError', ...refused, retryAfter: 7 });
    expect((await refusal(Response.json(refused, { status: 409 }))).retryAfter).to.equal(undefined);
  });

  it('rejects with UNAVAILABLE after an answer of a proxy, and with UNAUTHORIZED if that is 401', async () => {
    const page = (status: number) => new Response('<h1>Sorry</h1>', { status });
    const message = 'The server answered 502';
    expect(await refusal(page(502))).to.include({ code: 'UNAVAILABLE', message });
    expect(await refusal(page(404))).to.include({ code: 'UNAVAILABLE' });
    expect(await refusal(page(401))).to.include({ code: 'UNAUTHORIZED' });
  });

  it('rejects with UNAVAILABLE if the server cannot be reached', async () => {
    const message = 'The server cannot be reached: fetch failed';
    expect(await refusal()).to.include({ code: 'UNAVAILABLE', message });
  });
});
