import { newClients, type Person } from './harness.ts';

/** The users of a scene, each named after its relation to a group and to `friend`. */
export const actors = ['outsider', 'former', 'banned', 'blocked', 'member', 'admin', 'owner'] as const;
export type ActorName = (typeof actors)[number];

/** The users whom each scene needs: `friend` is in all groups and dialogs and makes no attempt; `guest` is in none. */
type Others = Readonly<Record<'owner' | 'friend' | 'guest', Person>>;

/** The users of several scenes. */
export type Cast = Others & Readonly<Record<ActorName, Person>>;

/** The contents in the group and in the dialog, which no other user may ever receive. */
export const GROUP_SECRET = 'lighthouse';
export const DIALOG_SECRET = 'windmill';

/** The place of an attempt of one of the cast: a private group of `owner`, and a dialog with `friend`. */
export interface Scene extends Others {
  readonly actor: Person;
  readonly groupId: number;
  /** The messages of `friend`, and those of the actor; for an outsider those of `member`. */
  readonly group: Contents;
  readonly dialog: Contents;
}

interface Contents {
  readonly messageId: number;
  readonly ownId: number;
}

async function newPeople<Name extends string>(names: Iterable<Name>): Promise<Record<Name, Person>> {
  const people = await Promise.all([...names].map(async (name) => [name, (await newClients(1))[0]]));
  return Object.fromEntries(people);
}

export const newCast = (): Promise<Cast> => newPeople([...actors, 'friend', 'guest']);

/** Creates the place of an attempt of one of a cast, or of a new user. */
export async function newScene(who: ActorName, cast?: Cast): Promise<Scene> {
  const inside = who === 'outsider' ? 'member' : who;
  const people = cast ?? (await newPeople(new Set([who, inside, 'owner', 'friend', 'guest'] as const)));
  const { owner, friend, guest, [who]: actor, [inside]: insider } = people;
  const userIds = [friend.id, insider.id];
  const { groupId } = await owner.client.done('newGroup', { groupName: `The ${GROUP_SECRET}`, userIds });

  const write = async ({ client }: Person, type: string, params: object): Promise<number> =>
    (await client.done(type, params)).messageId;
  const inGroup = { groupId, content: `To the ${GROUP_SECRET}!` };
  const inDialog = ({ id: receiverId }: Person) => ({ receiverId, content: `To the ${DIALOG_SECRET}!` });
  const [theirs, own, toInsider] = await Promise.all([
    write(friend, 'messageInGroup', inGroup),
    write(insider, 'messageInGroup', inGroup),
    write(friend, 'privateMessage', inDialog(insider)),
  ]);
  const group = { messageId: theirs, ownId: own };
  const dialog = { messageId: toInsider, ownId: await write(insider, 'privateMessage', inDialog(friend)) };

  const { id: userId } = actor;
  if (who === 'former') await actor.client.done('leaveGroup', { groupId });
  if (who === 'banned') await owner.client.done('banUser', { groupId, userId });
  if (who === 'admin') await owner.client.done('setMemberRole', { groupId, userId, role: 'admin' });
  if (who === 'blocked') for (const { client } of [friend, guest]) await client.done('blockUser', { userId });
  return { owner, friend, guest, actor, groupId, group, dialog };
}

export const sessionsOf = async ({ client }: Person): Promise<{ sessionId: number; current: boolean }[]> =>
  (await client.done('listSessions', { live: true })).data;

/** Returns the state that others see: the changes of a chat since the cursor, and data that `sync` does not return. */
export async function traces({ friend, owner, groupId }: Scene, cursor: string) {
  const [changes, blocked, sessions, invites] = await Promise.all([
    friend.client.done('sync', { cursor }),
    friend.client.done('listBlockedUsers'),
    sessionsOf(friend),
    owner.client.done('listInvites', { groupId }),
  ]);
  return [changes.data, blocked.data, sessions, invites.data];
}
