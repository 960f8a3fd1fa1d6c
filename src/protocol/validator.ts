import { Ajv, type ErrorObject } from 'ajv';
import formats from 'ajv-formats';
import type { Static, TSchema } from 'typebox';
import { emojiOf } from '../text/emoji.ts';
import { nameProblem } from '../text/nameProblem.ts';
import { passwordProblem } from '../text/opaqueString.ts';
import { ApiError } from './errors.ts';
import { isMoment } from './schema/moment.ts';

/**
 * Limit of the JSON that integrators store with a message, a group or a profile, in bytes. Numbers count with all their
 * digits, as PostgreSQL writes them: 1e300 has 301.
 */
const CUSTOM_BYTES = 4096;

const ajv = new Ajv({
  allErrors: false,
  coerceTypes: false,
  useDefaults: false,
  verbose: true, // the errors contain the wrong value
  strict: true,
  // a `oneOf` requires properties that the enclosing schema defines
  strictRequired: false,
});
formats.default(ajv, ['email', 'date-time']);
interface Format {
  readonly test: (text: string) => boolean;
  readonly expected?: string;
  /** Returns the problem of a text, if the format describes it. */
  readonly problem?: (text: string) => string | undefined;
}

/** The formats of Parley and the wording of their violations. */
const ownFormats: Readonly<Record<string, Format>> = {
  text: {
    test: (text) => text.isWellFormed() && !text.includes('\0'),
    expected: 'well-formed Unicode without NUL (U+0000)',
  },
  emoji: { test: (text) => emojiOf(text) !== undefined, expected: 'a single emoji' },
  moment: {
    test: isMoment,
    expected:
      'a time that exists, of the years 1000 to 9999 and without leap seconds, such as 2026-01-31T12:00:00Z',
  },
  'new-password': { test: (text) => passwordProblem(text) === undefined, problem: passwordProblem },
  name: { test: (text) => nameProblem(text) === undefined, problem: nameProblem },
};
for (const [name, { test }] of Object.entries(ownFormats)) ajv.addFormat(name, test);
ajv.addKeyword({
  keyword: 'keptAsGiven',
  type: 'object',
  validate: (_: true, value: object) => isKeepable(value),
});

/**
 * Returns true if the database can store a value without loss and the value is within CUSTOM_BYTES. It checks level by
 * level instead of recursively: a frame can have more levels than the stack, whereas `stringify` can handle as many
 * levels as fit into CUSTOM_BYTES.
 */
function isKeepable(value: object): boolean {
  let level: unknown[] = [value];
  let digits = 0;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > CUSTOM_BYTES / 2 || !level.every(isKeepablePart)) return false;
    for (const part of level) if (typeof part === 'number') digits += unwrittenDigits(part);
    level = level.flatMap((part) => (isObject(part) ? Object.entries(part).flat() : []));
  }
  return Buffer.byteLength(JSON.stringify(value)) + digits <= CUSTOM_BYTES;
}

/** Returns about the number of digits that the exponent of a number abbreviates. */
const unwrittenDigits = (number: number): number => Math.abs(Number(String(number).split('e')[1] ?? 0));

function isKeepablePart(part: unknown): boolean {
  if (typeof part === 'string') return ownFormats.text?.test(part) ?? false;
  return typeof part !== 'number' || Number.isFinite(part);
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Validates input against a schema and returns it typed; throws `BAD_REQUEST` with the path of the invalid value. */
export type Validator<T extends TSchema> = (input: unknown) => Static<T>;

/** Compiles a validator. `root` is the beginning of paths in its errors, such as `params`. */
export function compileValidator<T extends TSchema>(schema: T, root: string): Validator<T> {
  const validate = ajv.compile(schema);
  return (input) => {
    if (validate(input)) return input as Static<T>;
    const errors = validate.errors ?? [];
    const error = errors.find(({ keyword }) => keyword === 'oneOf') ?? errors[0];
    throw new ApiError('BAD_REQUEST', explain(error, root, schema));
  };
}

/** Returns the problem of a text, or the form that its format requires. */
function problemOf(format: string, text: unknown): string {
  const own = ownFormats[format];
  return own?.problem?.(String(text)) ?? `must be ${own?.expected ?? `a valid ${format}`}`;
}

/** Returns the problem of a value that must have exactly one of several properties. */
function problemOfAlternatives({ schema, data }: ErrorObject): string {
  if (!isObject(data) || Array.isArray(data)) return 'must be an object';
  const alternatives = schema as readonly { readonly required: readonly string[] }[];
  return `must have exactly one of ${alternatives.flatMap(({ required }) => required).join(', ')}`;
}

/** Returns a sentence with the path of the invalid value and the expected form. */
function explain(error: ErrorObject | undefined, root: string, schema: TSchema): string {
  if (!error) return `${root} is invalid`;
  const path = root + error.instancePath.replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
  const { keyword, params } = error;
  switch (keyword) {
    case 'required':
      return `${path}.${params.missingProperty} is required`;
    case 'additionalProperties': {
      const known = Object.keys(error.parentSchema?.properties ?? {});
      const expected = known.length > 0 ? `expected only ${known.join(', ')}` : 'none is expected';
      return `${path}.${params.additionalProperty} is not known; ${expected}`;
    }
    case 'oneOf':
      return `${path} ${problemOfAlternatives(error)}`;
    case 'keptAsGiven':
      return `${path} must be at most ${CUSTOM_BYTES} bytes of JSON, in well-formed Unicode without NUL (U+0000)`;
    case 'enum':
      return `${path} must be one of ${params.allowedValues.join(', ')}`;
    case 'format':
      return `${path} ${problemOf(params.format, error.data)}`;
    case 'pattern':
      return `${path} must match ${params.pattern}`;
    case 'minLength':
    case 'maxLength':
      return `${path} must have ${keyword === 'minLength' ? 'at least' : 'at most'} ${params.limit} characters`;
    case 'minProperties':
      return `${path} must have at least ${params.limit} of ${Object.keys((schema as { properties?: object }).properties ?? {}).join(', ')}`;
    case 'minItems':
    case 'maxItems':
      return `${path} must have ${keyword === 'minItems' ? 'at least' : 'at most'} ${params.limit} items`;
    case 'minimum':
    case 'maximum':
      return `${path} must be ${keyword === 'minimum' ? 'at least' : 'at most'} ${params.limit}`;
    case 'type':
      return `${path} must be ${/^[aeiou]/.test(params.type) ? 'an' : 'a'} ${params.type}`;
    default:
      return `${path} ${error.message ?? 'is invalid'}`;
  }
}
