import { Type } from 'typebox';
import { Custom, described, Id, Name, Nullable, Text, Time, UserName } from './types.ts';

/* What commands say of people. */

export const DisplayName = Name(1, 100, 'Shown instead of the username; one line');
export const About = Text(0, 500, 'About the user');
export const Avatar = Text(1, 500, 'Location of a picture: a URL, or a key in your storage');

/** The part of these that users have chosen. */
export const ShownName = Nullable(Type.String({ description: 'Shown instead of the username' }));
export const ShownAvatar = Nullable(Type.String({ description: 'Location of a picture' }));

export const IsBot = Type.Boolean({ description: 'A program' });

/** Presence of a user. */
export const Presence = Type.Object(
  {
    userId: Id.user,
    online: Type.Boolean({ description: 'At least one connection is open' }),
    lastSeenAt: Nullable(described(Time, 'End of the last connection; null while online, or if unknown')),
  },
  { title: 'Presence', description: 'The presence of a user: online, or since when not' },
);

export const ProfileVersion = Type.Integer({
  title: 'ProfileVersion',
  minimum: 0,
  description:
    'Number of changes of the profile, the username included. Of two states the one with the higher version is newer',
});

/** Public properties of a user. */
export const Profile = Type.Object(
  {
    userId: Id.user,
    username: UserName,
    displayName: ShownName,
    about: Nullable(Type.String({ description: 'About the user' })),
    avatar: ShownAvatar,
    custom: Nullable(Custom),
    isBot: IsBot,
    version: ProfileVersion,
    createdAt: Time,
    online: Presence.properties.online,
    lastSeenAt: Presence.properties.lastSeenAt,
  },
  { title: 'Profile', description: 'Public properties of a user' },
);
