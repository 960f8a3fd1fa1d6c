import { violatedColumn } from '../database/failures.ts';
import { ApiError } from '../errors.ts';

/** Turns the violated uniqueness of public names into a `CONFLICT`. */
export function refuseTakenName(error: unknown): never {
  if (violatedColumn(error)) throw new ApiError('CONFLICT', 'A public group has this name already');
  throw error;
}

/** Names as they stand in a sentence: a, b and c; from five on only how many more there are. */
export function listed(names: readonly string[]): string {
  const shown = names.length > 4 ? [...names.slice(0, 3), `${names.length - 3} others`] : names;
  return new Intl.ListFormat('en', { type: 'conjunction' }).format(shown);
}
