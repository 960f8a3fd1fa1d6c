import { expect } from 'chai';
import type { TSchema } from 'typebox';
import Format from 'typebox/format';
import Value from 'typebox/value';
import { type ErrorCode, errorCodes } from '../../src/protocol/errors.ts';
import type { Frame } from '../support/client.ts';

/** Error codes for a wrong request; the others mean a problem of the server. */
const refusals = new Set<ErrorCode>(Object.keys(errorCodes) as ErrorCode[]);
for (const fault of ['INTERNAL', 'UNAVAILABLE', 'TIMEOUT'] as const) refusals.delete(fault);

export function expectAnswer(answer: Frame, request: unknown): void {
  if (answer.success === true) expect(answer).not.to.have.any.keys('error', 'code');
  else expect(refusals, `${JSON.stringify(answer)} to ${request}`.slice(0, 5_000)).to.include(answer.code);
}

/** Returns whether a value fits a schema, by another library than that of the server. */
export const isRight = (schema: TSchema | undefined, value: unknown) =>
  schema !== undefined && Value.Check(schema, value);
const isText = (value: string) => value.isWellFormed() && !value.includes('\0');
Format.Set('text', isText);
Format.Set('moment', (value) => !Number.isNaN(Date.parse(value)));
Format.Set('emoji', (value) => /\p{Emoji}/v.test(value));
