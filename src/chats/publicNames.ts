import { violatedConstraint } from '../database/failures.ts';
import { ApiError } from '../protocol/errors.ts';

/** Converts the violated uniqueness of public names to a `CONFLICT`. */
export function refuseTakenName(error: unknown): never {
  if (violatedConstraint(error) === 'chats_public_name')
    throw new ApiError('CONFLICT', 'A public group already has this name');
  throw error;
}

/** Returns names as an enumeration: a, b and c. Five or more are abbreviated: a, b, c and 2 others. */
export function listed(names: readonly string[]): string {
  const shown = names.length > 4 ? [...names.slice(0, 3), `${names.length - 3} others`] : names;
  return new Intl.ListFormat('en', { type: 'conjunction' }).format(shown);
}
