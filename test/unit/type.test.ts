import { expect } from 'chai';
import { Type as TypeBox } from 'typebox';
import { Type } from '../../src/protocol/schema/type.ts';

describe('the constructors of JSON Schema', () => {
  /** Schemas made with one or the other set of constructors, by what they show. */
  const schemas = ({ Type: t }: { Type: typeof Type }) => ({
    array: t.Array(t.Integer(), { maxItems: 3 }),
    boolean: t.Boolean({ description: 'A flag' }),
    enum: t.Enum(['one', 'two'], { title: 'Numbers' }),
    integer: t.Integer({ minimum: 1 }),
    'literal text': t.Literal('text'),
    'literal truth': t.Literal(true, { description: 'Always' }),
    null: t.Null({ description: 'Nothing' }),
    'object without properties': t.Object({}),
    'object of optional properties': t.Object({ a: t.Optional(t.String()) }),
    'object of both': t.Object(
      { a: t.String(), b: t.Optional(t.Boolean()), c: t.Integer() },
      { additionalProperties: false },
    ),
    'optional in an object, as such elsewhere': (() => {
      const shared = t.String();
      return t.Object({ a: t.Optional(shared), b: shared });
    })(),
    partial: t.Partial(t.Object({ a: t.String(), b: t.Array(t.Null()) }), { minProperties: 1 }),
    'properties of a partial': t.Object({
      ...t.Partial(t.Object({ a: t.String() })).properties,
      b: t.Null(),
    }),
    string: t.String({ minLength: 1 }),
    union: t.Union([t.String(), t.Null()], { description: 'Either' }),
    unsafe: t.Unsafe<Date>({ type: 'string', format: 'date-time' }),
  });
  const [own, theirs] = [schemas({ Type }), schemas({ Type: TypeBox })];

  for (const [name, schema] of Object.entries(own))
    it(`writes what TypeBox writes: ${name}`, () => {
      expect(JSON.stringify(schema)).to.equal(JSON.stringify(theirs[name as keyof typeof theirs]));
    });
});
