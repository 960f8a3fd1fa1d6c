import { Ajv } from 'ajv';
import formats from 'ajv-formats';

/** Returns the errors of a value by a schema that refers to the components of a document; null if there are none. */
export function violations(schema: object, components: object, value: unknown): unknown {
  const ajv = new Ajv({ strict: true, strictRequired: false, allowUnionTypes: true });
  ajv.addVocabulary(['components']);
  formats.default(ajv, ['date-time', 'email']);
  const validate = ajv.compile({ ...schema, components });
  validate(value);
  return validate.errors;
}
