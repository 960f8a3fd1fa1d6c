import { Ajv, type ErrorObject } from 'ajv';
import formats from 'ajv-formats';
import type { Static, TSchema } from 'typebox';
import { ApiError } from '../errors.ts';

const ajv = new Ajv({ allErrors: false, coerceTypes: false, useDefaults: false, strict: true });
formats.default(ajv, ['email', 'date-time']);
/** Formats of our own, each with what its violation is told as. */
const ownFormats: Readonly<Record<string, { test: (text: string) => boolean; expected: string }>> = {
  text: {
    test: (text) => text.isWellFormed() && !text.includes('\0'),
    expected: 'well-formed Unicode without NUL (U+0000)',
  },
  'password-bytes': {
    test: (text) => text.isWellFormed() && Buffer.byteLength(text) <= 72,
    expected: 'well-formed Unicode of at most 72 bytes',
  },
};
for (const [name, { test }] of Object.entries(ownFormats)) ajv.addFormat(name, test);

/** Checks unknown input against a schema and returns it typed; throws `BAD_REQUEST` naming the wrong path. */
export type Validator<T extends TSchema> = (input: unknown) => Static<T>;

/** Compiles a validator. `root` is what paths in its errors begin with, such as `params`. */
export function compileValidator<T extends TSchema>(schema: T, root: string): Validator<T> {
  const validate = ajv.compile(schema);
  return (input) => {
    if (validate(input)) return input as Static<T>;
    throw new ApiError('BAD_REQUEST', explain(validate.errors?.[0], root, schema));
  };
}

/** One sentence: the path of what is wrong and what was expected there. */
function explain(error: ErrorObject | undefined, root: string, schema: TSchema): string {
  if (!error) return `${root} is wrong`;
  const path = root + error.instancePath.replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
  const { keyword, params } = error;
  switch (keyword) {
    case 'required':
      return `${path}.${params.missingProperty} is required`;
    case 'additionalProperties': {
      const known = Object.keys((schema as { properties?: object }).properties ?? {});
      const expected = known.length > 0 ? `expected only ${known.join(', ')}` : 'none is expected';
      return `${path}.${params.additionalProperty} is not known; ${expected}`;
    }
    case 'format':
      return `${path} must be ${ownFormats[params.format]?.expected ?? `a valid ${params.format}`}`;
    case 'pattern':
      return `${path} must match ${params.pattern}`;
    case 'minLength':
    case 'maxLength':
      return `${path} must have ${keyword === 'minLength' ? 'at least' : 'at most'} ${params.limit} characters`;
    case 'minProperties':
      return `${path} must have at least ${params.limit} of ${Object.keys((schema as { properties?: object }).properties ?? {}).join(', ')}`;
    case 'minimum':
    case 'maximum':
      return `${path} must be ${keyword === 'minimum' ? 'at least' : 'at most'} ${params.limit}`;
    case 'type':
      return `${path} must be ${/^[aeiou]/.test(params.type) ? 'an' : 'a'} ${params.type}`;
    default:
      return `${path} ${error.message ?? 'is wrong'}`;
  }
}
