import { isCommonPassword } from '../auth/commonPasswords.ts';
import { violatedConstraint } from '../database/failures.ts';
import type { User } from '../database/models/User.ts';
import { ApiError } from '../protocol/errors.ts';
import { foldedUser } from '../text/foldedColumns.ts';

/** Returns the account as its owner sees it. */
export function accountOf({ id, email, username, createdAt }: User) {
  return { id, email, username, createdAt: createdAt.toISOString() };
}

/** Returns a name in its composed form (Unicode NFC). */
export function normalise(name: string): string {
  return name.normalize('NFC');
}

/** Returns the columns of an account for an email and a username. */
export function namesOf({ email, username }: { email?: string | undefined; username?: string | undefined }) {
  const names = {
    ...(email !== undefined && { email: normalise(email) }),
    ...(username !== undefined && { username: normalise(username) }),
  };
  return { ...names, ...foldedUser(names) };
}

/** Refuses one of the most common passwords with `BAD_REQUEST`. */
export function assertUncommon(password: string): void {
  if (isCommonPassword(password))
    throw new ApiError('BAD_REQUEST', 'body.password is one of the most common passwords; choose another');
}

/** Returns which name of an account is taken, if an error is about that. */
export function takenName(error: unknown): 'email' | 'username' | undefined {
  const name = /^users_(email|username)_(?:key|folded)$/.exec(violatedConstraint(error) ?? '')?.[1];
  return name === 'email' || name === 'username' ? name : undefined;
}

/** Converts a violated unique constraint to a `CONFLICT` that names the taken value. */
export function refuseTaken(error: unknown): never {
  const column = takenName(error);
  if (column) throw new ApiError('CONFLICT', `This ${column} is taken`);
  throw error;
}
