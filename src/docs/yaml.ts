import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Characters up to which a part of a document stands in one line. */
const SHORT = 800;

/** Text that every parser reads as such within a line of several values. Those for Python and Go refuse `{a: why?}`. */
const PLAIN = /^[\w .;()'/#$-]*$/;

/** Returns a document as YAML, in which what is short stands in one line. Parsers of YAML 1.1 read the same. */
export function yamlOf(value: object): string {
  const { Document, visit } = require('yaml') as typeof import('yaml'); // not at the start, where it is not used
  const document = new Document(value, { aliasDuplicateObjects: false, compat: 'yaml-1.1' });
  visit(document, {
    Collection(_, node) {
      if (JSON.stringify(node).length > SHORT) return undefined;
      node.flow = true;
      visit(node, {
        Scalar(key, scalar) {
          if (key !== 'key' && typeof scalar.value === 'string' && !PLAIN.test(scalar.value))
            scalar.type = 'QUOTE_DOUBLE';
        },
      });
      return visit.SKIP;
    },
  });
  return document.toString({ blockQuote: 'literal', flowCollectionPadding: false, lineWidth: 0 });
}
