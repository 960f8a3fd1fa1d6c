import type { NamedType } from '../typeNames.ts';
import { heading, html } from './html.ts';
import type { ReferencePage } from './layout.ts';
import { inline } from './markdown.ts';
import { namedTypes } from './namedTypes.ts';
import { propertyTable, variantName } from './properties.ts';

/** Returns the page of the types that several commands have in common. */
export const typesPage: ReferencePage = {
  path: 'types',
  title: 'Types',
  body: (root) => html`<p>Parts of replies and pushes that several commands have in common.</p>
${namedTypes.map((schema) => {
  const { title = '', description = '' } = schema;
  const variants = 'anyOf' in schema ? (schema.anyOf as NamedType[]) : [];
  return html`${heading(2, title, title)}<p>${inline(description)}.</p>
${
  variants.length === 0
    ? propertyTable(schema, title, root)
    : variants.map((variant) => {
        const id = `${title}-${variantName(variant)}`;
        return html`${heading(3, id, variantName(variant))}<p>${inline(variant.description ?? '')}.</p>
${propertyTable(variant, id, root)}`;
      })
}`;
})}`,
};
