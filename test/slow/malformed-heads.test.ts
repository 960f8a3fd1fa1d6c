import { expect } from 'chai';
import { RawSocket } from '../fuzz/raw.ts';

const BEHIND = 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n';

describe('a request with a head that the socket library does not recognise', function () {
  this.timeout(180_000);

  it('is never answered, nor any request after it, and its connection is closed after ten seconds', async () => {
    const heads: [string, string][] = [
      ['a space before the colon', 'Host: x\r\nContent-Length : 2\r\n'],
      ['a folded line', 'Host: x\r\nX: a\r\n b\r\nContent-Length: 2\r\n'],
      ['a folded first line', ' Host: x\r\nContent-Length: 2\r\n'],
      ['LF alone', 'Host: x\r\nX: a\nContent-Length: 2\r\n'],
      ['CR alone', 'Host: x\r\nX: a\rContent-Length: 2\r\n'],
      ['NUL', 'Host: x\r\nX: a\0b\r\nContent-Length: 2\r\n'],
      ['no colon', 'Host: x\r\nContent-Length 2\r\n'],
      ['no host', 'Content-Length: 2\r\n'],
      ['more than 98 lines', `Host: x\r\n${'X: y\r\n'.repeat(98)}Content-Length: 2\r\n`],
    ];
    await Promise.all(
      heads.map(async ([what, lines]) => {
        const raw = new RawSocket();
        raw.socket.write(`POST /auth/login HTTP/1.1\r\n${lines}\r\n{}${BEHIND}`, 'latin1');
        await raw.closed;
        // a later version of the library may refuse it at once
        expect(String(raw.received).match(/HTTP\/1\.1 \d+/g) ?? [], what).to.satisfy((answers: string[]) =>
          answers.every((answer, index) => index === 0 && / 4\d\d$/.test(answer)),
        );
      }),
    );
  });
});
