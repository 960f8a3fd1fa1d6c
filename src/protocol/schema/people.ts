import { Type } from 'typebox';
import { Custom, Id, Name, Nullable, Text, Time, UserName } from './types.ts';

/* What commands say of people. */

export const DisplayName = Name(1, 100, 'Shown instead of the username; one line');
export const About = Text(0, 500, 'A short text about the user');
export const Avatar = Text(1, 500, 'Location of a picture: a URL, or a key in your storage');

/** Presence of a user. */
export const Presence = Type.Object({
  userId: Id,
  online: Type.Boolean({ description: 'At least one connection is open' }),
  lastSeenAt: Nullable({
    ...Time,
    description: 'End of the last connection; null while online, or if unknown',
  }),
});

export const ProfileVersion = Type.Integer({
  minimum: 0,
  description:
    'Number of changes of the profile, the username included. Of two states the one with the higher version is newer',
});

/** Public properties of a user. */
export const Profile = Type.Object({
  userId: Id,
  username: UserName,
  displayName: Nullable(Type.String()),
  about: Nullable(Type.String()),
  avatar: Nullable(Type.String()),
  custom: Nullable(Custom),
  version: ProfileVersion,
  createdAt: Time,
  online: Presence.properties.online,
  lastSeenAt: Presence.properties.lastSeenAt,
});
