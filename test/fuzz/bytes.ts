import fc, { type Arbitrary } from 'fast-check';
import type { Route } from '../../src/http/define.ts';
import { FRAME_BYTES, json, type Known, type Member, objectLike } from './json.ts';
import { type FrameParts, Opcode } from './raw.ts';

/* Input below JSON: frames and calls as bytes. */

/** Splits bytes into parts at random positions. */
export function cut(bytes: Buffer, offsets: readonly number[]): Buffer[] {
  const ends = [...offsets.map((offset) => offset % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

/** Bytes that are not UTF-8 at any position: overlong, a surrogate, beyond Unicode, truncated. */
const noUtf8 = fc
  .constantFrom([0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82], [0x80])
  .map((bytes) => Buffer.from(bytes));

/** Text that contains bytes which are not UTF-8. */
const brokenText = fc
  .tuple(fc.string(), noUtf8, fc.string())
  .map(([before, wrong, after]) => Buffer.concat([Buffer.from(before), wrong, Buffer.from(after)]));

/** Frames for which an endpoint must fail the connection (RFC 6455), sent as the last one or two. */
export const breach: Arbitrary<FrameParts[]> = fc
  .record({
    payload: fc.uint8Array({ maxLength: 125 }).map((bytes) => Buffer.from(bytes)),
    control: fc.constantFrom<number>(Opcode.close, Opcode.ping, Opcode.pong),
    reserved: fc.integer({ min: 1, max: 7 }),
    opcode: fc.constantFrom(3, 4, 5, 6, 7, 11, 12, 13, 14, 15),
    tooLong: fc.oneof(
      fc.integer({ min: 2 ** 23, max: 2 ** 32 }),
      fc
        .maxSafeInteger()
        .map(Math.abs)
        .map((n) => n + 2 ** 23),
    ),
    size: fc.integer({ min: 126, max: 70_000 }),
    broken: brokenText,
  })
  .chain(({ payload, control, reserved, opcode, tooLong, size, broken }) =>
    fc.constantFrom<FrameParts[]>(
      [{ payload, reserved }],
      [{ payload, opcode }],
      [{ payload, opcode: control, fin: false }],
      [{ payload: Buffer.alloc(size), opcode: control }],
      [{ payload, opcode: Opcode.continuation }],
      [{ payload, fin: false, opcode: Opcode.binary }, { payload }],
      [{ payload, length: tooLong }],
      [{ payload: broken }],
      [
        { payload: broken, fin: false },
        { payload: Buffer.from('.'), opcode: Opcode.continuation },
      ],
      [{ payload: Buffer.alloc(FRAME_BYTES + size) }],
      [{ payload: Buffer.from([3]), opcode: Opcode.close }],
    ),
  );

/** An HTTP request as sent, except for its token. */
export interface HttpCall {
  readonly method: string;
  readonly path: string;
  /** `own` stands for the token of the caller. */
  readonly authorization: string | undefined;
  readonly headers: readonly Member[];
  readonly body: Buffer;
  readonly chunked: boolean;
}

const visible = fc.integer({ min: 0x21, max: 0xff }).filter((code) => code < 0x7f || code > 0xa0);
const latin = visible.map((code) => String.fromCharCode(code));
const ascii = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
const headerValue = fc.oneof(
  fc.string({ unit: latin }),
  fc.string({ unit: latin, minLength: 500, maxLength: 1_000, size: 'max' }),
  fc.constantFrom(
    '',
    '*',
    'null',
    'gzip;q=0, br',
    'bytes=0-',
    '"',
    '::1, 1.2.3.4',
    'text/plain; charset=utf-16',
  ),
);
const headerName = fc.oneof(
  fc.constantFrom('origin', 'accept-encoding', 'if-none-match', 'content-type', 'cookie', 'range', 'expect'),
  fc.constantFrom(
    'x-forwarded-for',
    'x-http-method-override',
    'sec-websocket-protocol',
    'upgrade',
    'authorization',
  ),
  fc.stringMatching(/^x-[a-z0-9-]{1,50}$/),
);

/** Calls of a route or similar ones, in any form that HTTP allows. */
export function httpCall({ method, path, body }: Route, known: Known): Arbitrary<HttpCall> {
  const fitting = body ? objectLike(body, known) : json;
  const bytes = fc.oneof(
    { weight: 6, arbitrary: fitting.map((value) => Buffer.from(value)) },
    { weight: 2, arbitrary: json.map((value) => Buffer.from(value)) },
    { weight: 1, arbitrary: brokenText },
    {
      weight: 1,
      arbitrary: brokenText.map((broken) =>
        Buffer.concat([Buffer.from('{"a":"'), broken, Buffer.from('"}')]),
      ),
    },
    { weight: 1, arbitrary: fc.uint8Array().map((array) => Buffer.from(array)) },
  );
  const otherPath = fc.oneof(
    fc.string({ unit: ascii }).map((query) => `${path}?${query}`),
    fc.string({ unit: ascii }).map((added) => path + added),
    fc.string({ unit: latin }).map((any) => `/${any}`),
    fc.constantFrom(
      `/${path}`,
      `${path}/`,
      path.toUpperCase(),
      `${path}%00`,
      `/..${path}`,
      '/',
      '/ws',
      '/__proto__',
    ),
  );
  return fc.record({
    method: fc.oneof(
      { weight: 6, arbitrary: fc.constant(method) },
      {
        weight: 1,
        arbitrary: fc.constantFrom('GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE', 'patch', 'X-Y'),
      },
    ),
    path: fc.oneof({ weight: 5, arbitrary: fc.constant(path) }, { weight: 1, arbitrary: otherPath }),
    authorization: fc.oneof(
      { weight: 4, arbitrary: fc.constant('own') },
      {
        weight: 1,
        arbitrary: fc.constantFrom(undefined, '', 'Bearer', 'Bearer ', 'Bearer own', 'Basic own'),
      },
      {
        weight: 1,
        arbitrary: fc.oneof(
          headerValue,
          headerValue.map((value) => `Bearer ${value}`),
        ),
      },
    ),
    headers: fc.array(fc.tuple(headerName, headerValue), { maxLength: 4 }),
    body: bytes,
    chunked: fc.boolean(),
  });
}

/** Returns a call as bytes. */
export function encodeCall({ method, path, authorization, headers, body, chunked }: HttpCall): Buffer {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'host: x',
    ...(authorization === undefined ? [] : [`authorization: ${authorization}`]),
    ...headers.map(([name, value]) => `${name}: ${value}`),
    chunked ? 'transfer-encoding: chunked' : `content-length: ${body.length}`,
  ];
  const chunk = body.length > 0 ? [`${body.length.toString(16)}\r\n`, body, '\r\n'] : [];
  const framed = chunked ? [...chunk, '0\r\n\r\n'] : [body];
  return Buffer.concat(
    [`${lines.join('\r\n')}\r\n\r\n`, ...framed].map((part) => Buffer.from(part as string, 'latin1')),
  );
}
