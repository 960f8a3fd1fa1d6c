import { Type } from 'typebox';
import { reconcileEverywhere } from '../bus/outbox.ts';
import { userTopic } from '../bus/topics.ts';
import { databaseNow } from '../database/clock.ts';
import { ApiError } from '../protocol/errors.ts';
import { About, Avatar, DisplayName, Profile, ProfileVersion } from '../protocol/schema/people.ts';
import { Custom, Id, Nullable } from '../protocol/schema/types.ts';
import { foldedUser } from '../text/foldedColumns.ts';
import { contactsOf } from '../users/contacts.ts';
import { profilesOf } from '../users/profiles.ts';
import { encodeProfile, profileOf } from '../users/publishProfile.ts';
import { defineCommand } from './define.ts';

const { username, displayName, about, avatar, custom } = Profile.properties;

export const updateProfile = defineCommand({
  type: 'updateProfile',
  summary: 'Change the profile of this user; null clears a field, omitted fields stay as they are',
  description:
    'Username and email belong to the account: see PATCH /users/me. A new username and the deletion of an account are pushed to everybody who shares a chat with the user, and appear in sync.',
  params: Type.Object({
    displayName: Type.Optional(Nullable(DisplayName)),
    about: Type.Optional(Nullable(About)),
    avatar: Type.Optional(Nullable(Avatar)),
    custom: Type.Optional(Nullable(Custom)),
  }),
  result: Type.Object({ data: Profile }),
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 1,
  errors: ['NOT_FOUND'],
  push: {
    summary:
      'This user, or the other person of a dialog, changed the profile; or a user who shares a chat with this user has a new username or was deleted. After a deletion, username is "Deleted user" and the other fields are null. The push to the members of a group contains only the username. It may arrive several times, and after one of a later change: ignore a lower version than you know of the user',
    fields: Type.Object({
      userId: Id.user,
      username,
      version: ProfileVersion,
      ...Type.Partial(Type.Object({ displayName, about, avatar, custom })).properties,
    }),
  },
  async handle(profile, { session: { userId }, origin, bus, changes, db, presence }) {
    const user = await changes.run(profileOf(userId), async () => {
      const contacts = await contactsOf(db, userId);
      return db.transaction(
        async (transaction) => {
          const [, [user]] = await db.users.update(
            { ...profile, ...foldedUser({ displayName: profile.displayName }), updatedAt: databaseNow },
            { where: { id: userId, deletedAt: null }, returning: true, transaction },
          );
          if (!user) throw new ApiError('NOT_FOUND', `There is no user ${userId}`);
          await reconcileEverywhere(db, userId, transaction);
          return user;
        },
        (user) => {
          const frame = encodeProfile(user);
          for (const contactId of contacts) bus.publish(userTopic(contactId), { frame, except: origin });
        },
      );
    });
    const [data] = await profilesOf(presence, userId, [user]);
    if (!data) throw new Error('a user without a profile');
    return { data };
  },
});
