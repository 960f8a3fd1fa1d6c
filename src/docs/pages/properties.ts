import type { TSchema } from 'typebox';
import { inlined } from '../schemas.ts';
import { createTypeNames, type Schema, without } from '../typeNames.ts';
import { type Html, html, join, table } from './html.ts';
import { inline } from './markdown.ts';
import { namedTypes } from './namedTypes.ts';

const { exactName, extendedType } = createTypeNames(namedTypes.map((type) => inlined(type) as Schema));

/**
 * Renders the properties of an object: those of objects within it follow with their path, such as `data[].seq`; types
 * with a name are links. `id` begins the anchors, and `root` is the way to the folder of the pages.
 */
export function propertyTable(definition: TSchema, id: string, root: string): Html {
  const schema = inlined(definition) as Schema;
  const rows = propertyRows(schema, { path: '', id, root });
  const choice = schema.oneOf?.flatMap(({ required = [] }) => required) ?? [];
  const names = choice.map((name) => html`<code>${name}</code>`);
  return html`${choice.length > 0 && html`<p>Exactly one of ${join(names, ', ')} is required.</p>\n`}${
    rows.length > 0 ? table(['name', 'type', 'required', 'description'], rows) : html`<p>None.</p>\n`
  }`;
}

/** The place of a property. */
interface Place {
  /** The path up to it, such as `data[].`. */
  readonly path: string;
  readonly id: string;
  readonly root: string;
}

function propertyRows({ properties = {}, required = [] }: Schema, place: Place): Html[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const path = place.path + name;
    const here = { path, id: `${place.id}-${name}`, root: place.root };
    const words = [...descriptionOf(schema), ...limitsOf(schema)];
    return [
      html`<tr><th scope="row" id="${here.id}"><a href="#${here.id}"><code>${path}</code></a></th>
<td>${typeOf(schema, place.root)}</td><td>${required.includes(name) ? 'yes' : 'no'}</td>
<td>${join(words, '. ')}</td></tr>
`,
      ...nestedRows(schema, here),
    ];
  });
}

/** Returns the rows of the objects within a property that have no page of their own. */
function nestedRows(schema: Schema, place: Place): Html[] {
  if (exactName(schema)) return [];
  if (schema.items) return nestedRows(schema.items, { ...place, path: `${place.path}[]` });
  if (schema.properties) {
    const known = extendedType(schema);
    return propertyRows(without(schema, known), { ...place, path: `${place.path}.` });
  }
  const variants = schema.anyOf?.filter(({ properties }) => properties) ?? [];
  const [only] = variants;
  if (variants.length === 1 && only) return nestedRows(only, place);
  return variants.flatMap((variant) => variantRows(variant, place));
}

function variantRows(variant: Schema, place: Place): Html[] {
  const name = variantName(variant);
  return [
    html`<tr><th scope="rowgroup" colspan="4">${name}: ${variant.description}</th></tr>\n`,
    ...propertyRows(variant, { ...place, path: `${place.path}.`, id: `${place.id}-${name}` }),
  ];
}

/** Returns the value that distinguishes a variant of a union from the others. */
export function variantName({ properties = {} }: Schema): string {
  const constant = Object.values(properties).find((schema) => 'const' in schema);
  return String(constant?.const ?? 'object');
}

/** Returns the type of a value in words. */
function typeOf(schema: Schema, root: string): Html {
  const name = exactName(schema);
  if (name) return html`<a href="${root}types#${name}">${name}</a>`;
  if (schema.items) return html`array of ${typeOf(schema.items, root)}`;
  if (schema.anyOf)
    return join(
      schema.anyOf.map((one) => typeOf(one, root)),
      ' or ',
    );
  if (schema.enum)
    return join(
      schema.enum.map((value) => html`<code>${JSON.stringify(value)}</code>`),
      ' or ',
    );
  if ('const' in schema) return html`<code>${JSON.stringify(schema.const)}</code>`;
  const extended = extendedType(schema);
  if (extended) return html`<a href="${root}types#${extended.name}">${extended.name}</a>, with`;
  return html`${schema.type ?? 'any'}`;
}

/** Returns the schema of a value apart from null. */
function nonNull(schema: Schema): Schema {
  const [value = schema] = schema.anyOf?.filter(({ type }) => type !== 'null') ?? [];
  return value;
}

/** Returns the description of a value, without the full stop at its end, if it has one. */
function descriptionOf(schema: Schema): Html[] {
  const text = schema.description ?? nonNull(schema).description;
  return text ? [inline(text.replace(/\.$/, ''))] : [];
}

/** Returns the limits of a value in words. */
function limitsOf(schema: Schema): Html[] {
  const { items } = schema;
  const value = nonNull(schema);
  const range = (least = 0, most = Number.MAX_SAFE_INTEGER, unit = '') =>
    most === Number.MAX_SAFE_INTEGER ? `at least ${least}${unit}` : `${least} to ${most}${unit}`;
  const limits = [
    value.minimum !== undefined && range(value.minimum, value.maximum),
    value.maxLength !== undefined && range(value.minLength, value.maxLength, ' characters'),
    value.maxItems !== undefined && range(value.minItems, value.maxItems, ' items'),
    value.format && `Format: ${value.format}`,
    items?.minimum !== undefined && `each ${range(items.minimum, items.maximum)}`,
  ].filter((limit) => typeof limit === 'string');
  return [
    ...limits.map((limit) => html`${limit.charAt(0).toUpperCase()}${limit.slice(1)}`),
    ...(value.pattern ? [html`Pattern: <code>${value.pattern}</code>`] : []),
    ...('default' in value ? [html`Default: <code>${JSON.stringify(value.default)}</code>`] : []),
  ];
}
