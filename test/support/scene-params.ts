import { connectAs } from './harness.ts';
import { DIALOG_SECRET, type Scene, sessionsOf } from './scene.ts';

/** Returns the params of an attempt from its scene. */
export type Build = (scene: Scene) => object | Promise<object>;

export const group =
  (rest: object = {}): Build =>
  ({ groupId }) => ({ groupId, ...rest });
export const dialog =
  (rest: object = {}): Build =>
  ({ friend }) => ({ receiverId: friend.id, ...rest });

type ChatKind = 'group' | 'dialog';

export const message =
  (kind: ChatKind, rest: object = {}): Build =>
  (scene) => ({ messageId: scene[kind].messageId, ...rest });
export const ownMessage =
  (kind: ChatKind, rest: object = {}): Build =>
  (scene) => ({ messageId: scene[kind].ownId, ...rest });
export const pinnedMessage =
  (kind: ChatKind): Build =>
  async (scene) => {
    const { messageId } = scene[kind];
    await (kind === 'group' ? scene.owner : scene.friend).client.done('pinMessage', { messageId });
    return { messageId };
  };

export const member =
  (who: 'friend' | 'guest', rest: object = {}): Build =>
  ({ groupId, [who]: { id: userId } }) => ({ groupId, userId, ...rest });

export const banned: Build = async (scene) => {
  const params = await member('guest')(scene);
  await scene.owner.client.done('banUser', params);
  return params;
};
export const friend: Build = ({ friend }) => ({ userId: friend.id });
export const people: Build = ({ friend, owner }) => ({ userIds: [friend.id, owner.id] });

const made = async ({ owner, groupId }: Scene): Promise<{ inviteId: number; code: string }> =>
  (await owner.client.done('createInvite', { groupId })).data;
export const invite: Build = async (scene) => ({
  groupId: scene.groupId,
  inviteId: (await made(scene)).inviteId,
});
export const inviteCode: Build = async (scene) => ({ code: (await made(scene)).code });

export const ownSession: Build = async ({ actor }) => {
  await connectAs(actor.token);
  return { sessionId: (await sessionsOf(actor)).find(({ current }) => !current)?.sessionId };
};
export const foreignSession: Build = async ({ friend }) => ({
  sessionId: (await sessionsOf(friend))[0]?.sessionId,
});

export const ownGroup: Build = async ({ actor: { client } }) => ({
  groupId: (await client.done('newGroup', { groupName: 'Mine' })).groupId,
});
/** A message in another chat, as a reply to one in the group. */
export const replyToGroup =
  (address: Build): Build =>
  async (scene) => ({ ...(await address(scene)), content: 'x', replyTo: scene.group.messageId });

/** Combines the params of two functions. */
export const both =
  (one: Build, other: Build): Build =>
  async (scene) => ({ ...(await one(scene)), ...(await other(scene)) });

/** The same, once the owner has changed the group. */
export const where =
  (settings: object, params: Build): Build =>
  async (scene) => {
    const { owner, groupId } = scene;
    await owner.client.done('updateGroup', { groupId, ...settings });
    return params(scene);
  };
export const whereAllMayJoin =
  (params: Build): Build =>
  (scene) =>
    where({ isPrivate: false, groupName: `Open ${scene.groupId}` }, params)(scene);

/** The same, once the messages in both chats can be found. */
export const whenIndexed =
  (params: Build): Build =>
  async (scene) => {
    const { friend, dialog } = scene;
    const found = async () => {
      const { data } = await friend.client.done('searchMessages', { query: DIALOG_SECRET, limit: 100 });
      return data.some(({ messageId }: { messageId: number }) => messageId === dialog.ownId);
    };
    while (!(await found())) await new Promise((resolve) => setTimeout(resolve, 20));
    return params(scene);
  };
