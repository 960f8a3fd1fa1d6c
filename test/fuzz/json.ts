import fc, { type Arbitrary } from 'fast-check';
import type { TSchema } from 'typebox';

/*
 * Input as JSON, generated as text: some of it corresponds to no value of JavaScript, such as numbers that do
 * not fit, duplicate keys, or more levels than `JSON.stringify` can handle.
 */

/** Bytes of a frame that the server accepts. */
export const FRAME_BYTES = 64 * 1024;

/** Names that every object inherits. */
const prototypeKey = fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', 'then', '');
const codeUnit = fc.nat(0xffff).map((unit) => String.fromCharCode(unit));

/** Text of any characters, or of lone surrogates. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: codeUnit }),
  prototypeKey,
  fc.constantFrom(
    '\0',
    '\ud800',
    '%_\\',
    "'; --",
    '((',
    ':*',
    '!&|',
    '9999-12-31T23:59:60Z',
    'x'.repeat(5000),
  ),
);

const number = fc.oneof(
  fc.double().filter(Number.isFinite).map(String),
  fc.maxSafeInteger().map(String),
  fc.constantFrom('9007199254740993', '-9007199254740993', '1e400', '-1e400', '1e-400', '-0', '1.0', '1E+2'),
  fc.constantFrom('2147483648', '9223372036854775808', `${'9'.repeat(500)}`, `0.${'1'.repeat(500)}`),
);

/** Nested arrays and objects, up to the limit of a frame and not always closed. */
const nested = fc
  .record({
    bracket: fc.constantFrom(['[', ']'], ['{"a":', '}'], ['[{"__proto__":', '}]']),
    levels: fc.oneof(fc.nat(100), fc.integer({ min: 1_000, max: 4_600 }), fc.nat(30_000)),
  })
  .map(({ bracket: [open = '', close = ''], levels }) => {
    const fitting = Math.min(levels, Math.floor((FRAME_BYTES - 1_000) / (open.length + close.length)));
    return `${open.repeat(fitting)}null${close.repeat(fitting)}`;
  });

/** Any JSON. */
export const json: Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: text.map((value) => JSON.stringify(value)) },
  { weight: 4, arbitrary: number },
  {
    weight: 2,
    arbitrary: fc.constantFrom('null', 'true', 'false', '[]', '{}', '[1,1]', '{"__proto__":null}'),
  },
  {
    weight: 3,
    arbitrary: fc.object({ key: fc.oneof(text, prototypeKey) }).map((value) => JSON.stringify(value)),
  },
  { weight: 1, arbitrary: nested },
);

/** A name and its value. */
export type Member = readonly [key: string, value: string];

const objectOf = (members: readonly Member[]): string =>
  `{${members.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`;

/** Envelopes with members that are wrong, missing, duplicate, or unknown. */
function envelope(types: readonly string[]): Arbitrary<string> {
  const type = fc.constantFrom(...types).map((name) => JSON.stringify(name));
  const params = fc.array(fc.tuple(text, json), { maxLength: 3 }).map(objectOf);
  const member = fc.oneof(
    fc.tuple(fc.constant('type'), fc.oneof(type, json)),
    fc.tuple(fc.constant('params'), fc.oneof(params, json)),
    fc.tuple(fc.constant('id'), json),
    fc.tuple(text, json),
  );
  const typed = fc.tuple(fc.constant('type'), type);
  return fc
    .tuple(fc.array(member, { maxLength: 4 }), fc.option(typed), fc.array(member, { maxLength: 1 }))
    .map(([before, between, after]) => objectOf([...before, ...(between ? [between] : []), ...after]));
}

/** Frames of a broken client; `types` are those of commands. Bytes are for a binary frame. */
export function frame(types: readonly string[]): Arbitrary<string | Buffer> {
  const likely = envelope(types);
  const damaged = fc
    .tuple(likely, fc.nat(), fc.nat(3), fc.oneof(codeUnit, text))
    .map(([whole, offset, removed, added]) => {
      const at = offset % (whole.length + 1);
      return whole.slice(0, at) + added + whole.slice(at + removed);
    });
  const filled = likely.map(
    (whole) => whole + ' '.repeat(Math.max(0, FRAME_BYTES - Buffer.byteLength(whole))),
  );
  const hugeId = fc.nat(FRAME_BYTES - 100).map((size) => `{"type":"ping","id":"${'x'.repeat(size)}"}`);
  const binary = fc.uint8Array().map((bytes) => Buffer.from(bytes));
  return fc
    .oneof(
      { weight: 6, arbitrary: likely },
      { weight: 3, arbitrary: damaged },
      { weight: 1, arbitrary: fc.oneof(text, json, filled, hugeId, binary) },
    )
    .filter((whole) => Buffer.byteLength(whole) <= FRAME_BYTES);
}

/** Existing values, by the name of the parameter. */
export type Known = Readonly<Record<string, Arbitrary<string | number>>>;

/** Objects that mostly fit a schema, as JSON. */
export function objectLike(schema: TSchema, known: Known): Arbitrary<string> {
  const { properties, required = [] } = schema as {
    properties: Record<string, TSchema>;
    required?: string[];
  };
  const members = Object.entries(properties).map(([name, property]) => {
    const value = fc.oneof(
      { weight: 12, arbitrary: likeSchema(property, known[name]) },
      { weight: 1, arbitrary: json },
    );
    return fc.option(fc.tuple(fc.constant(name), value), { freq: required.includes(name) ? 30 : 2 });
  });
  const unknown = fc.oneof(
    { weight: 15, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.tuple(text, json) },
  );
  return fc
    .tuple(...members, unknown)
    .map((all) => objectOf(all.filter((member) => member !== null) as Member[]))
    .filter((whole) => Buffer.byteLength(whole) < FRAME_BYTES - 1_000);
}

interface AnySchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly TSchema[];
  readonly items?: TSchema;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
}

function likeSchema(schema: TSchema, known?: Arbitrary<string | number>): Arbitrary<string> {
  const fitting = fittingTo(schema as AnySchema, known);
  if (!known || (schema as AnySchema).type === 'array') return fitting;
  const existing = known.map((value) => JSON.stringify(value));
  return fc.oneof({ weight: 5, arbitrary: existing }, { weight: 1, arbitrary: fitting });
}

function fittingTo(schema: AnySchema, known?: Arbitrary<string | number>): Arbitrary<string> {
  const { type, minimum = 0, maximum = 1, minLength = 0, maxLength = 100 } = schema;
  if (schema.enum) return fc.constantFrom(...schema.enum).map((value) => JSON.stringify(value));
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((option) => likeSchema(option)));
  if (schema.items)
    return fc.array(likeSchema(schema.items, known), { maxLength: 5 }).map((items) => `[${items}]`);
  switch (type) {
    case 'integer':
      return fc
        .oneof(
          fc.integer({ min: minimum, max: Math.min(maximum, minimum + 20) }),
          fc.integer({ min: minimum, max: maximum }),
          fc.constantFrom(minimum - 1, minimum, maximum, maximum + 1),
        )
        .map(String);
    case 'boolean':
      return fc.boolean().map(String);
    case 'null':
      return fc.constant('null');
    case 'object':
      return fc.oneof(
        nested.map((value) => `{"a":${value}}`),
        fc.object().map((value) => JSON.stringify(value)),
      );
    default:
      return stringOf(schema.format, minLength, maxLength).map((value) => JSON.stringify(value));
  }
}

function stringOf(format: string | undefined, minLength: number, maxLength: number): Arbitrary<string> {
  switch (format) {
    case 'emoji':
      return fc.constantFrom('👍', '❤', '❤️', '🏳️‍🌈', '1️⃣', '👩‍👩‍👧‍👦', '☺');
    case 'moment': {
      const min = new Date('1000-01-01T00:00:00Z');
      const moment = fc.date({ min, max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true });
      return fc.oneof(
        moment.map((time) => time.toISOString()),
        fc.constantFrom('1000-01-01T00:00+23:59', '9999-12-31T23:59:59.999999-23:59', '2024-02-29T00:00:00Z'),
      );
    }
    case 'email':
      return fc.emailAddress();
    default:
      return fc.oneof(
        {
          weight: 4,
          arbitrary: fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, 30) }),
        },
        { weight: 1, arbitrary: fc.constantFrom('a', ...['x', '👍'].map((c) => c.repeat(maxLength))) },
        { weight: 1, arbitrary: text },
      );
  }
}
