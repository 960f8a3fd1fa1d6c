import { Type } from 'typebox';
import { Id, Nullable, Time } from './types.ts';

/* What the account calls take and give. */

export const Email = Type.String({ format: 'email', maxLength: 254, description: 'Unique; case is ignored' });
export const Username = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: '^[\\p{L}\\p{M}\\p{N}_.-]+$',
  format: 'name',
  description:
    '1 to 64 visible characters: letters, digits, _ . and -. Unique; case and compatibility forms are ignored (NFKC_Casefold)',
});
/** bcrypt reads 72 bytes: a longer password would be cut in silence. Typed decomposed, the same one has more letters. */
export const Password = Type.String({
  minLength: 8,
  maxLength: 72,
  format: 'new-password',
  description:
    'At least 8 characters and at most 72 bytes after preparation (RFC 8265, OpaqueString), without control characters, and none of the thousand most common passwords',
});
/** A password to be compared: its length is no business of the one who asks. */
export const OfferedPassword = Type.String({ minLength: 1, maxLength: 1024, description: 'The password' });

export const Account = Type.Object(
  {
    id: Id.user,
    email: Nullable(
      Type.String({
        description: 'Email, as it was written; null if a user of the host has no verified one',
      }),
    ),
    username: Type.String({ description: 'Username, as it was written' }),
    createdAt: Time,
  },
  { title: 'Account', description: 'What the user logs in with' },
);
export const Token = Type.String({ description: 'JSON Web Token; send it as Authorization: Bearer <token>' });
