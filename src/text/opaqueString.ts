/** bcrypt ignores further bytes of a password. */
const MAX_BYTES = 72;
const MIN_CHARACTERS = 8;

/**
 * Prepares a password by the profile OpaqueString of RFC 8265, so that it is equal on all keyboards: spaces outside of
 * ASCII become U+0020, and letters are composed (NFC).
 */
export function preparePassword(password: string): string {
  return password.replaceAll(/\p{Zs}/gu, ' ').normalize('NFC');
}

/** Returns the problem of a new password, or undefined if it can be prepared and hashed. */
export function passwordProblem(password: string): string | undefined {
  const prepared = preparePassword(password);
  if (!password.isWellFormed() || Buffer.byteLength(prepared) > MAX_BYTES)
    return `must be well-formed Unicode of at most ${MAX_BYTES} bytes`;
  if (/\p{Cc}/u.test(prepared)) return 'must not have control characters';
  if ([...prepared].length < MIN_CHARACTERS) return `must have at least ${MIN_CHARACTERS} characters`;
  return undefined;
}
