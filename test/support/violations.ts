import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';

const ajv = new Ajv({ strict: true, strictRequired: false, allowUnionTypes: true });
ajv.addVocabulary(['components']);
formats.default(ajv, ['date-time', 'email']);
const compiled = new WeakMap<object, ValidateFunction>();

/** Returns the errors of a value by a schema that refers to the components of its document; null if there are none. */
export function violations(schema: object, components: object, value: unknown): unknown {
  const validate = compiled.get(schema) ?? ajv.compile({ ...schema, components });
  compiled.set(schema, validate);
  validate(value);
  return validate.errors;
}
