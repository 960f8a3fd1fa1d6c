import type { TSchema } from 'typebox';
import { Email, Username } from '../protocol/schema/accounts.ts';
import { Avatar, DisplayName } from '../protocol/schema/people.ts';
import { compileValidator } from '../protocol/validator.ts';
import { normalise } from './account.ts';

/** The claims of a token of the host that fill a profile, those that can be used (OpenID Connect Core, 5.1). */
export interface HostProfile {
  /** From `preferred_username`: without the domain of an address and without characters that usernames do not have. */
  readonly username?: string;
  /** From `name`. */
  readonly displayName?: string;
  /** From `picture`. */
  readonly avatar?: string;
  /** From `email`, if `email_verified` is true. */
  readonly email?: string;
}

/** Characters of a username. */
export const MAX_USERNAME = 64;
/** Characters of a display name. */
const MAX_DISPLAY_NAME = 100;

/** Reads the claims of a profile; those that are missing or cannot be used are omitted. */
export function hostProfileOf(claims: Readonly<Record<string, unknown>>): HostProfile {
  const { preferred_username, name, picture, email, email_verified: isVerified } = claims;
  return {
    ...valid(isUsername, 'username', text(preferred_username, usernameIn)),
    ...valid(
      isDisplayName,
      'displayName',
      text(name, (value) => cut(value.trim(), MAX_DISPLAY_NAME)),
    ),
    ...valid(
      isAvatar,
      'avatar',
      text(picture, (value) => value),
    ),
    ...valid(isEmail, 'email', isVerified === true ? text(email, normalise) : undefined),
  };
}

/** Returns the properties in which a profile differs from the one that was seen before. */
export function changesSince(
  seen: HostProfile,
  { username, displayName, avatar, email }: HostProfile,
): HostProfile {
  return {
    ...(username !== undefined && username !== seen.username && { username }),
    ...(displayName !== undefined && displayName !== seen.displayName && { displayName }),
    ...(avatar !== undefined && avatar !== seen.avatar && { avatar }),
    ...(email !== undefined && email !== seen.email && { email }),
  };
}

/** Returns the part of a name before an @, with a hyphen for each run of characters that usernames do not have. */
function usernameIn(name: string): string {
  const [local = ''] = normalise(name).split('@');
  return cut(local.replaceAll(/[^\p{L}\p{M}\p{N}_.-]+/gu, '-').replaceAll(/^-+|-+$/g, ''), MAX_USERNAME);
}

/** Returns at most so many characters of a text. */
export const cut = (value: string, length: number): string => [...value].slice(0, length).join('');

const text = (value: unknown, form: (value: string) => string): string | undefined =>
  typeof value === 'string' && value.isWellFormed() ? form(value) : undefined;

const isUsername = matches(Username);
const isDisplayName = matches(DisplayName);
const isAvatar = matches(Avatar);
const isEmail = matches(Email);

/** Returns a function that returns true for values of a schema. */
function matches(schema: TSchema): (value: unknown) => boolean {
  const validate = compileValidator(schema, 'claims');
  return (value) => {
    try {
      validate(value);
      return true;
    } catch {
      return false;
    }
  };
}

/** Returns an object with a property, or without it if its value is not valid. */
function valid<Name extends string>(
  isValid: (value: unknown) => boolean,
  name: Name,
  value: string | undefined,
): { readonly [Key in Name]?: string } {
  return value !== undefined && isValid(value) ? ({ [name]: value } as { [Key in Name]: string }) : {};
}
