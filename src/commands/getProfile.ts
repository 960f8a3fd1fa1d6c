import { Type } from 'typebox';
import { Profile } from '../protocol/schema/people.ts';
import { described, IdOfUser, Nullable } from '../protocol/schema/types.ts';
import { profilesOf } from '../users/profiles.ts';
import { existingUser } from '../users/users.ts';
import { defineRead } from './define.ts';

export const getProfile = defineRead({
  type: 'getProfile',
  summary: 'Read the profile of a user',
  params: Type.Object({
    userId: Type.Optional(described(IdOfUser, 'Default: this user')),
  }),
  result: Type.Object({
    data: Type.Object(
      {
        ...Profile.properties,
        email: Type.Optional(
          Nullable(Type.String({ description: 'Present only in the profile of this user' })),
        ),
        externalId: Type.Optional(
          Type.String({ description: 'The user at the host; only in the profile of this user' }),
        ),
      },
      { title: 'ProfileWithEmail', description: 'A profile; that of this user has the email' },
    ),
  }),
  cost: 1,
  errors: ['NOT_FOUND'],
  async handle({ userId }, { session, db, presence }) {
    const user = await existingUser(db, userId ?? session.userId);
    const [profile] = await profilesOf(presence, session.userId, [user]);
    if (!profile) throw new Error('a user without a profile');
    if (user.id !== session.userId) return { data: profile };
    const { email, externalId } = user;
    return { data: { ...profile, email, ...(externalId !== null && { externalId }) } };
  },
});
