import type { TSchema } from 'typebox';

/** A schema that may have a name. */
export type NamedType = TSchema & { readonly title?: string; readonly description?: string };

/** The part of JSON Schema that the definitions use, as plain JSON. */
export interface Schema {
  /** Its name. */
  readonly title?: string;
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly oneOf?: readonly { readonly required?: readonly string[] }[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly additionalProperties?: boolean;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** A type with properties. */
export interface KnownType {
  readonly name: string;
  /** The JSON of its properties by their names, and whether each is required. */
  readonly properties: ReadonlyMap<string, string>;
}

/** Finds the names of types by their schemas. */
export interface TypeNames {
  /** Returns the name of a schema that is one of the types. */
  exactName(schema: Schema): string | undefined;
  /** Returns the type whose properties an object has beside others, if there is one. */
  extendedType(schema: Schema): KnownType | undefined;
}

export function createTypeNames(types: readonly Schema[]): TypeNames {
  const names = new Set(types.map(({ title }) => title));
  /** Those with the most properties first. */
  const known: readonly KnownType[] = types
    .map((type) => ({ name: type.title ?? '', properties: textsOf(type) }))
    .filter(({ properties }) => properties.size > 1)
    .sort((a, b) => b.properties.size - a.properties.size);

  return {
    exactName: ({ title }) => (names.has(title) ? title : undefined),
    extendedType(schema) {
      const own = textsOf(schema);
      const isExtended = ({ properties }: KnownType) =>
        properties.size <= own.size && [...properties].every(([name, text]) => own.get(name) === text);
      return own.size > 0 ? known.find(isExtended) : undefined;
    },
  };
}

/** Returns an object without the properties of a type. */
export function without(schema: Schema, known: KnownType | undefined): Schema {
  const own = Object.entries(schema.properties ?? {}).filter(([name]) => !known?.properties.has(name));
  return { ...schema, properties: Object.fromEntries(own) };
}

const textsOf = ({ properties = {}, required = [] }: Schema): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(properties).map(([name, schema]) => [
      name,
      JSON.stringify([schema, required.includes(name)]),
    ]),
  );
