import type { TSchema, Type as TypeBox } from 'typebox';

type Constructors = Pick<
  typeof TypeBox,
  | 'Array'
  | 'Boolean'
  | 'Enum'
  | 'Integer'
  | 'Literal'
  | 'Null'
  | 'Object'
  | 'Optional'
  | 'Partial'
  | 'String'
  | 'Union'
  | 'Unsafe'
>;
type Properties = Readonly<Record<string, TSchema>>;
type Options = Readonly<Record<string, unknown>>;

/** Marks optional properties, as TypeBox does: JSON does not contain it. */
const OPTIONAL = '~optional';

const optional = (schema: object) =>
  Object.defineProperty({ ...schema }, OPTIONAL, { value: true, enumerable: false });

function object(properties: Properties, options?: Options) {
  const required = Object.keys(properties).filter((name) => !(OPTIONAL in (properties[name] ?? {})));
  return { type: 'object', ...(required.length > 0 && { required }), properties, ...options };
}

/**
 * The constructors of JSON Schema of TypeBox (https://sinclairzx81.github.io/typebox) that are used here. They have its
 * types; its own are spread over 373 modules, which take a quarter of the time in which a server starts.
 */
export const Type = {
  Array: (items: object, options?: Options) => ({ type: 'array', items, ...options }),
  Boolean: (options?: Options) => ({ type: 'boolean', ...options }),
  Enum: (values: readonly unknown[], options?: Options) => ({ enum: values, ...options }),
  Integer: (options?: Options) => ({ type: 'integer', ...options }),
  Literal: (value: unknown, options?: Options) => ({ type: typeof value, const: value, ...options }),
  Null: (options?: Options) => ({ type: 'null', ...options }),
  Object: object,
  Optional: optional,
  Partial: ({ properties }: { properties: Properties }, options?: Options) => {
    const entries = Object.entries(properties).map(([name, schema]) => [name, optional(schema)]);
    return object(Object.fromEntries(entries), options);
  },
  String: (options?: Options) => ({ type: 'string', ...options }),
  Union: (anyOf: readonly object[], options?: Options) => ({ anyOf, ...options }),
  Unsafe: (schema: object) => schema,
} as unknown as Constructors;
