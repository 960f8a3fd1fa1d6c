import { Type } from 'typebox';
import { About, Avatar, DisplayName, Profile } from '../schema/people.ts';
import { Custom, Id, Nullable } from '../schema/types.ts';
import { userTopic } from '../socket/Connections.ts';
import { encodePush } from '../socket/frames.ts';
import { contactsOf } from '../users/contacts.ts';
import { nameOf } from '../users/names.ts';
import { profilesOf } from '../users/profiles.ts';
import { activeUser } from '../users/users.ts';
import { defineCommand } from './define.ts';

const { displayName, about, avatar, custom } = Profile.properties;

export const updateProfile = defineCommand({
  type: 'updateProfile',
  summary: 'Change one’s profile; null empties a field, what is left out stays',
  description: 'The username and the email are part of the account: PATCH /users/me.',
  params: Type.Object({
    displayName: Type.Optional(Nullable(DisplayName)),
    about: Type.Optional(Nullable(About)),
    avatar: Type.Optional(Nullable(Avatar)),
    custom: Type.Optional(Nullable(Custom)),
  }),
  result: Type.Object({ data: Profile }),
  errors: ['NOT_FOUND'],
  push: {
    summary: 'This user, or somebody one has a dialog with, changed their profile',
    fields: Type.Object({ userId: Id, displayName, about, avatar, custom }),
  },
  async handle(changes, { session: { userId }, origin, bus, db, presence }) {
    const user = await activeUser(db, userId);
    await user.update({ ...changes, updatedAt: new Date() });
    const [data] = await profilesOf(presence, userId, [user]);
    if (!data) throw new Error('a user without a profile');
    const { displayName, about, avatar, custom } = data;
    const fields = { userId, displayName, about, avatar, custom };
    const frame = encodePush('updateProfile', null, nameOf(user), fields);
    for (const contactId of await contactsOf(db, userId))
      bus.publish(userTopic(contactId), { frame, except: origin });
    return { data };
  },
});
