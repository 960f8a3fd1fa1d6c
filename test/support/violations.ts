import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';

/** Validators by the components that their schemas refer to: these are large, and compiled once. */
const validators = new WeakMap<object, Ajv>();
const compiled = new WeakMap<object, ValidateFunction>();

/** Returns the errors of a value by a schema that refers to the components of its document; null if there are none. */
export function violations(schema: object, components: object, value: unknown): unknown {
  const ajv = validators.get(components) ?? validatorWith(components);
  validators.set(components, ajv);
  const validate = compiled.get(schema) ?? ajv.compile(inDocument(schema));
  compiled.set(schema, validate);
  validate(value);
  return validate.errors;
}

function validatorWith(components: object): Ajv {
  const ajv = new Ajv({ strict: true, strictRequired: false, allowUnionTypes: true });
  ajv.addVocabulary(['components']);
  formats.default(ajv, ['date-time', 'email']);
  return ajv.addSchema({ $id: 'document', components });
}

const inDocument = (schema: object): object =>
  JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"document#/'));
