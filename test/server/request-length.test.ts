import { once } from 'node:events';
import { expect } from 'chai';
import { RawSocket, readAnswer, upgradeRequest } from '../fuzz/raw.ts';
import { metric, server } from '../support/harness.ts';

/** A request that must never be read as one. */
const BEHIND = 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n';

const request = (lines: readonly string[], body = '', line = 'POST /auth/login') =>
  `${line} HTTP/1.1\r\nHost: x\r\n${lines.map((one) => `${one}\r\n`).join('')}\r\n${body}`;

/** Sends bytes at once; resolves to the statuses of the answers when the server has closed. */
async function statusesOf(bytes: string): Promise<string[]> {
  const raw = new RawSocket();
  raw.socket.write(bytes, 'latin1');
  return [...String(await raw.ended()).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status = '']) => status);
}

describe('a request with an ambiguous length', () => {
  const lengths: [string, string[]][] = [
    ['two lengths', ['Content-Length: 2', 'Content-Length: 40']],
    ['two lengths the other way around', ['Content-Length: 40', 'Content-Length: 2']],
    ['one length twice', ['Content-Length: 2', 'Content-Length: 2']],
    ['an empty length and another', ['Content-Length:', 'Content-Length: 40']],
    ['an empty length', ['Content-Length:']],
    ['a list of lengths', ['Content-Length: 2, 2']],
    ['a length with a sign', ['Content-Length: +2']],
    ['a negative length', ['Content-Length: -2']],
    ['a length in hexadecimal', ['Content-Length: 0x2']],
    ['a length of more than 64 bits', ['Content-Length: 99999999999999999999']],
    ['a length and a coding', ['Content-Length: 2', 'Transfer-Encoding: chunked']],
    [
      'a length and an empty coding before the coding',
      ['Transfer-Encoding:', 'Transfer-Encoding: chunked', 'Content-Length: 2'],
    ],
    ['an empty length and a coding', ['Content-Length:', 'Transfer-Encoding: chunked']],
    ['two codings', ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity']],
    ['a coding that is not the last', ['Transfer-Encoding: chunked, identity']],
    ['an unknown coding', ['Transfer-Encoding: xchunked']],
    ['two hosts', ['Host: y', 'Content-Length: 2']],
  ];
  for (const [what, lines] of lengths)
    it(`is answered 400, and nothing after it is answered: ${what}`, async () => {
      for (const line of [
        'POST /auth/login',
        'GET /icon.svg',
        'HEAD /icon.svg',
        'POST /nothing/here',
        'GET /health/live',
      ])
        expect(await statusesOf(request(lines, `{}${BEHIND}${BEHIND}`, line)), line).to.deep.equal(['400']);
      expect(await statusesOf(`${upgradeRequest(lines)}{}${BEHIND}`), 'an upgrade').to.deep.equal(['400']);
    });

  it('is answered 400 with a body like every error', async () => {
    const raw = new RawSocket();
    raw.socket.write(request(['Content-Length: 2', 'Content-Length: 40'], '{}'));
    const { status, headers, body } = readAnswer(await raw.ended()) ?? {};
    expect(status).to.equal(400);
    expect(headers).to.include({ connection: 'close', 'content-type': 'application/json; charset=utf-8' });
    expect(JSON.parse(body ?? '')).to.include({ error: true, code: 'BAD_REQUEST' });
  });

  /** Chunks that other parsers may end elsewhere than the library does. */
  const chunks: [string, string][] = [
    ['lines that end in LF alone', '2\n{}\r\n0\n\r\n'],
    ['a chunk without its end', '2\r\n{}xx0\r\n\r\n'],
    ['a trailer', '2\r\n{}\r\n0\r\nx:'],
    ['a size that is no number', `g\r\n{}${' '.repeat(14)}\r\n0\r\n\r\n`],
    ['an extension', '2;a="\r\n{}\r\n0\r\n\r\n'],
    ['no mistake', '2\r\n{}\r\n0\r\n\r\n'],
  ];
  const answers = [
    ['POST /auth/login', '400'],
    ['GET /icon.svg', '200'],
    ['HEAD /icon.svg', '200'],
    ['POST /nothing/here', '404'],
  ] as const;
  for (const [what, body] of chunks)
    it(`is the last one of its connection when it is chunked: ${what}`, async () => {
      const coding = ['Transfer-Encoding: chunked'];
      for (const [line, status] of answers) {
        expect(await statusesOf(request(coding, body, line)), line).to.be.deep.oneOf([[status], ['400']]);
        // the connection is closed before the answer, or refused by the library
        expect(await statusesOf(request(coding, body + BEHIND, line)), line).to.be.deep.oneOf([[], ['400']]);
      }
      const upgrade = await statusesOf(`${upgradeRequest(coding)}${body}${BEHIND}`);
      expect(upgrade, 'an upgrade').to.deep.equal(['400']);
    });

  it('is the last one of its connection when another one follows before the answer', async () => {
    const raw = new RawSocket();
    raw.socket.write(request(['Transfer-Encoding: chunked'], '2\r\n{}\r\n0\r\n\r\n'));
    await raw.until((bytes) => readAnswer(bytes), 'an answer');
    raw.socket.write(BEHIND);
    expect(String(await raw.ended()).match(/HTTP\/1\.1/g)).to.have.length(1);
  });

  it('is the last one of its connection also when the client does not read its answers', async () => {
    const large = request([], '', 'GET /docs/search.json').repeat(40); // more than the system buffers
    const chunked = `${request(['Transfer-Encoding: chunked'])}2\r\n{}\r\n0\r\n\r\n`;
    const uncertain = request(['Content-Length: 2', 'Content-Length: 40'], '{}');
    for (const last of [chunked, uncertain]) {
      const raw = new RawSocket();
      raw.socket.pause();
      for (const bytes of [large, last, request([], '', 'GET /behind')]) {
        raw.socket.write(bytes);
        await metric(server, 'parley_connections'); // the server has seen it
      }
      raw.socket.resume();
      expect(String(await raw.ended())).not.to.include('/behind');
    }
  });

  it('is not one with a single length, after which further requests are answered', async () => {
    const raw = new RawSocket();
    raw.socket.write(request(['Content-Length: 2'], '{}') + request(['content-length:  02 '], '{}') + BEHIND);
    await raw.until(
      (bytes) => (bytes.toString().match(/HTTP\/1\.1 (400|200)/g)?.length === 3 ? true : undefined),
      'three answers',
    );
    raw.socket.destroy();
  });
});

describe('the head of a request', () => {
  it('may have 16 KiB in several packets, as with proxies, and is refused above that', async () => {
    for (const [bytes, status] of [
      [12 * 1024, 200],
      [20 * 1024, 431],
    ] as const) {
      const whole = request([`Cookie: ${'x'.repeat(bytes)}`], '', 'GET /health/live');
      const raw = new RawSocket();
      await once(raw.socket, 'connect');
      raw.socket.write(whole.slice(0, 2_000));
      await metric(server, 'parley_connections'); // the server has seen the first packet
      raw.socket.write(whole.slice(2_000));
      expect((await raw.until((received) => readAnswer(received), 'an answer')).status).to.equal(status);
      raw.socket.destroy();
    }
  });

  it('may have 98 lines', async () => {
    const lines = Array.from({ length: 97 }, (_, index) => `X-${index}: y`);
    const raw = new RawSocket();
    raw.socket.write(request(lines, '', 'GET /health/live'));
    expect((await raw.until((bytes) => readAnswer(bytes), 'an answer')).status).to.equal(200);
    raw.socket.destroy();
  });
});
