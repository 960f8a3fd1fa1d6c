import { expect } from 'chai';
import { Type as TypeBox } from 'typebox';
import { Type } from '../../src/protocol/schema/type.ts';

describe('the constructors of JSON Schema', () => {
  /** A function for each schema, which makes it with one or the other set of constructors. */
  const schemas: Readonly<Record<string, (t: typeof Type) => object>> = {
    array: (t) => t.Array(t.Integer(), { maxItems: 3 }),
    boolean: (t) => t.Boolean({ description: 'A flag' }),
    enum: (t) => t.Enum(['one', 'two'], { title: 'Numbers' }),
    integer: (t) => t.Integer({ minimum: 1 }),
    'literal text': (t) => t.Literal('text'),
    'literal truth': (t) => t.Literal(true, { description: 'Always' }),
    null: (t) => t.Null({ description: 'Nothing' }),
    'object without properties': (t) => t.Object({}),
    'object of optional properties': (t) => t.Object({ a: t.Optional(t.String()) }),
    'object of both': (t) =>
      t.Object(
        { a: t.String(), b: t.Optional(t.Boolean()), c: t.Integer() },
        { additionalProperties: false },
      ),
    'what is optional in one place only': (t) => {
      const shared = t.String();
      return t.Object({ a: t.Optional(shared), b: shared });
    },
    partial: (t) => t.Partial(t.Object({ a: t.String(), b: t.Array(t.Null()) }), { minProperties: 1 }),
    'properties of a partial': (t) =>
      t.Object({ ...t.Partial(t.Object({ a: t.String() })).properties, b: t.Null() }),
    string: (t) => t.String({ minLength: 1 }),
    union: (t) => t.Union([t.String(), t.Null()], { description: 'Either' }),
    unsafe: (t) => t.Unsafe<Date>({ type: 'string', format: 'date-time' }),
  };

  for (const [name, schema] of Object.entries(schemas))
    it(`write what TypeBox writes: ${name}`, () => {
      expect(JSON.stringify(schema(Type))).to.equal(JSON.stringify(schema(TypeBox)));
    });
});
