import { violatedConstraint } from '../database/failures.ts';
import { ApiError } from '../protocol/errors.ts';

/** Turns the violated uniqueness of public names into a `CONFLICT`. */
export function refuseTakenName(error: unknown): never {
  if (violatedConstraint(error) === 'chats_public_name')
    throw new ApiError('CONFLICT', 'A public group has this name already');
  throw error;
}

/** Names as they stand in a sentence: a, b and c; from five on only how many more there are. */
export function listed(names: readonly string[]): string {
  const shown = names.length > 4 ? [...names.slice(0, 3), `${names.length - 3} others`] : names;
  return new Intl.ListFormat('en', { type: 'conjunction' }).format(shown);
}
