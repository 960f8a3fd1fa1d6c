import { Type } from 'typebox';
import { IdOfUser, Text } from './types.ts';

/* What service commands take and give. */

export const ExternalId = Text(1, 255, 'The user at the host, as in the tokens of the host', 'ExternalId');

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
