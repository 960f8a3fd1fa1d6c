import { Type } from 'typebox';
import { Email, Username } from './accounts.ts';
import { Avatar, DisplayName, IsBot } from './people.ts';
import { Custom, described, Id, IdOfUser, Nullable, Text, Time } from './types.ts';

/* What service commands take and give. */

const ExternalId = Text(1, 255, 'The user at the host, as in the tokens of the host', 'ExternalId');

/** The two ways to name a user, of which a request uses one. */
export const UserReference = Type.Object(
  { userId: Type.Optional(IdOfUser), externalId: Type.Optional(ExternalId) },
  {
    title: 'UserReference',
    description: 'A user: give either userId or externalId',
    additionalProperties: false,
    oneOf: [{ required: ['userId'] }, { required: ['externalId'] }],
  },
);

export const UserReferences = Type.Array(UserReference, {
  title: 'UserReferences',
  minItems: 1,
  maxItems: 100,
  description: 'Up to 100 users',
});

/** An account as a backend states it. */
export const AccountOfHost = Type.Object(
  {
    externalId: ExternalId,
    username: Type.Optional(
      described(
        Username,
        'The wanted username. If another user has it, the account gets it with a number behind it',
      ),
    ),
    displayName: Type.Optional(Nullable(DisplayName)),
    email: Type.Optional(
      Nullable(Email, 'Left as it is if another account has this email: accounts are never joined by it'),
    ),
    avatar: Type.Optional(Nullable(Avatar)),
    custom: Type.Optional(Nullable(Custom)),
    isBot: Type.Optional(IsBot),
  },
  {
    title: 'AccountOfHost',
    description: 'An account; null clears a field, omitted fields stay as they are',
    additionalProperties: false,
  },
);

/** An account as a backend sees it. */
export const ServiceUser = Type.Object(
  {
    userId: Id.user,
    externalId: Nullable(Type.String({ description: 'The user at the host' })),
    username: Type.String({ description: 'The present username; "Deleted user" for a deleted account' }),
    displayName: Nullable(Type.String({ description: 'Shown instead of the username' })),
    email: Nullable(Type.String({ description: 'The email' })),
    avatar: Nullable(Type.String({ description: 'Location of a picture' })),
    custom: Nullable(Custom),
    isBot: IsBot,
    createdAt: Time,
    disabledAt: Nullable(described(Time, 'null unless the account is disabled')),
    deletedAt: Nullable(described(Time, 'null unless the account is deleted')),
  },
  { title: 'ServiceUser', description: 'An account' },
);
