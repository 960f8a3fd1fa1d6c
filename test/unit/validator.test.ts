import { expect } from 'chai';
import { type TProperties, type TSchema, Type } from 'typebox';
import { ApiError } from '../../src/protocol/errors.ts';
import { Custom, inChat, Moment, Name, Text } from '../../src/protocol/schema/types.ts';
import { compileValidator } from '../../src/protocol/validator.ts';

/** Returns the problem that a validator of a schema finds in an input; undefined if there is none. */
function problemIn(schema: TSchema, input: unknown): string | undefined {
  try {
    compileValidator(schema, 'params')(input);
    return undefined;
  } catch (error) {
    expect(error).to.be.instanceOf(ApiError);
    expect((error as ApiError).code).to.equal('BAD_REQUEST');
    return (error as ApiError).message;
  }
}

const strict = (properties: TProperties) => Type.Object(properties, { additionalProperties: false });

const inX = new Map<TSchema, TSchema>();

/** Returns the problem of a value, after the path of the value. */
function problemOf(schema: TSchema, value: unknown): string | undefined {
  const around = inX.get(schema) ?? strict({ x: schema }); // the same schema is compiled once
  inX.set(schema, around);
  const problem = problemIn(around, { x: value });
  expect(problem?.slice(0, 9) ?? 'params.x ').to.equal('params.x ');
  return problem?.slice(9);
}

describe('a validator', () => {
  it('returns valid input as it is', () => {
    const input = { x: 1 };
    expect(compileValidator(strict({ x: Type.Integer() }), 'params')(input)).to.equal(input);
    expect(input).to.deep.equal({ x: 1 });
  });

  it('converts nothing and adds no defaults', () => {
    expect(problemOf(Type.Integer(), '1')).to.equal('must be an integer');
    const input = {};
    compileValidator(strict({ x: Type.Optional(Type.Integer({ default: 1 })) }), 'params')(input);
    expect(input).to.deep.equal({});
  });

  it('names the missing and the unknown property, and those that it knows', () => {
    const schema = strict({ one: Type.Integer(), two: Type.Optional(Type.Integer()) });
    expect(problemIn(schema, {})).to.equal('params.one is required');
    expect(problemIn(schema, { one: 1, three: 3 })).to.equal(
      'params.three is not known; expected only one, two',
    );
    expect(problemIn(strict({}), { one: 1 })).to.equal('params.one is not known; none is expected');
  });

  it('names the place of a wrong value in lists and objects, whatever its characters', () => {
    const schema = strict({ 'a/b~c': Type.Array(strict({ y: Type.String() })) });
    expect(problemIn(schema, { 'a/b~c': [{ y: '' }, { y: 1 }] })).to.equal(
      'params.a/b~c.1.y must be a string',
    );
    expect(problemIn(schema, { 'a/b~c': [{ y: '', z: 1 }] })).to.match(
      /^params\.a\/b~c\.0\.z is not known; /,
    );
  });

  it('asks for exactly one of the two ways to name a chat', () => {
    const schema = inChat({});
    const expected = 'params must have exactly one of receiverId, groupId';
    for (const input of [{}, { receiverId: 1, groupId: 1 }])
      expect(problemIn(schema, input)).to.equal(expected);
    for (const input of [{ receiverId: 1 }, { groupId: 1 }])
      expect(problemIn(schema, input)).to.equal(undefined);
  });

  it('names the bound that is passed, and accepts the bound', () => {
    const cases: [schema: TSchema, accepted: unknown, refused: unknown, problem: string][] = [
      [Type.Integer({ minimum: 2 }), 2, 1, 'must be at least 2'],
      [Type.Integer({ maximum: 2 }), 2, 3, 'must be at most 2'],
      [Type.String({ minLength: 2 }), '👍👍', '👍', 'must have at least 2 characters'],
      [Type.String({ maxLength: 2 }), '👍👍', '👍👍👍', 'must have at most 2 characters'],
      [Type.Array(Type.Any(), { minItems: 1 }), [1], [], 'must have at least 1 items'],
      [Type.Array(Type.Any(), { maxItems: 1 }), [1], [1, 2], 'must have at most 1 items'],
    ];
    for (const [schema, accepted, refused, problem] of cases) {
      expect(problemOf(schema, accepted)).to.equal(undefined);
      expect(problemOf(schema, refused)).to.equal(problem);
    }
  });

  it('names the properties of which some are required', () => {
    const one = Type.Optional(Type.Integer());
    const schema = Type.Object({ one, two: one }, { minProperties: 1 });
    expect(problemIn(schema, {})).to.equal('params must have at least 1 of one, two');
    expect(problemIn(schema, { two: 1 })).to.equal(undefined);
  });

  it('names the expected form', () => {
    const cases: [schema: TSchema, value: unknown, problem: string][] = [
      [Type.Integer(), 1.5, 'must be an integer'],
      [Type.Array(Type.Any()), {}, 'must be an array'],
      [Type.Object({}), [], 'must be an object'],
      [Type.Boolean(), 0, 'must be a boolean'],
      [Type.Enum(['on', 'off']), 'up', 'must be one of on, off'],
      [Type.String({ pattern: '^a$' }), 'b', 'must match ^a$'],
      [Type.String({ format: 'email' }), 'ada', 'must be a valid email'],
      [Type.String({ format: 'date-time' }), 'now', 'must be a valid date-time'],
      [Text(0, 9, ''), '\0', 'must be well-formed Unicode without NUL (U+0000)'],
      [Text(0, 9, ''), '\ud800', 'must be well-formed Unicode without NUL (U+0000)'],
      [Type.String({ format: 'emoji' }), '👍👍', 'must be a single emoji'],
      [Name(0, 9, ''), ' ', 'must have something that can be seen'],
      [Type.String({ format: 'new-password' }), 'short', 'must have at least 8 characters'],
      [Type.Literal(1), 2, 'must be equal to constant'],
    ];
    for (const [schema, value, problem] of cases) expect(problemOf(schema, value)).to.equal(problem);
    expect(problemOf(Moment, '2026-02-30T12:00:00Z')).to.match(
      /^must be a time that exists, .*, such as 2026-/,
    );
  });

  it('accepts each form', () => {
    const cases: [schema: TSchema, value: unknown][] = [
      [Type.String({ format: 'email' }), 'ada@example.com'],
      [Type.String({ format: 'date-time' }), '2026-01-31T12:00:00Z'],
      [Moment, '2026-01-31T12:00:00Z'],
      [Text(1, 9, ''), 'Hi 👍'],
      [Type.String({ format: 'emoji' }), '👍'],
      [Name(1, 9, ''), 'Ada'],
      [Type.String({ format: 'new-password' }), 'correct horse'],
    ];
    for (const [schema, value] of cases)
      expect(problemOf(schema, value), JSON.stringify(value)).to.equal(undefined);
  });

  it('says that a value is wrong where it cannot say how', () => {
    expect(problemIn(Type.Never(), 1)).to.equal('params must NOT be valid');
  });
});

describe('the data of an application', () => {
  const refusal = 'must be at most 4096 bytes of JSON, in well-formed Unicode without NUL (U+0000)';
  const kept = (value: unknown) => expect(problemOf(Custom, value)).to.equal(undefined);
  const refused = (value: unknown) => expect(problemOf(Custom, value)).to.equal(refusal);

  it('may have 4 KiB', () => {
    kept({ a: 'x'.repeat(4096 - '{"a":""}'.length) });
    refused({ a: 'x'.repeat(4097 - '{"a":""}'.length) });
    refused({ a: 'é'.repeat(2048) });
  });

  it('counts numbers with all their digits', () => {
    kept({ a: Array(13).fill(1e300) });
    refused({ a: Array(14).fill(1e300) });
    refused({ a: Array(14).fill(1e-300) });
    refused({ a: { b: Array(14).fill(-1e300) } });
    kept({ a: Array(400).fill(123_456) });
  });

  it('has no text at any depth that the database cannot store, keys included', () => {
    for (const wrong of ['\0', '\ud800'])
      for (const value of [{ a: wrong }, { [wrong]: 1 }, { a: [{ b: [wrong] }] }, { a: { [wrong]: null } }])
        refused(value);
    kept({ a: [{ b: ['', null, true, 0.5] }] });
  });

  it('has no number beyond those of JSON', () => {
    refused({ a: Number.POSITIVE_INFINITY });
    refused({ a: [[Number.NaN]] });
  });

  it('may have as many levels as fit', () => {
    const nested = (levels: number) => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);
    kept(nested(682)); // 6 bytes each
    refused(nested(683));
    const lists = (levels: number) => ({ a: JSON.parse('['.repeat(levels) + ']'.repeat(levels)) });
    kept(lists(2045));
    refused(lists(2046));
    refused(lists(100_000));
  });
});
