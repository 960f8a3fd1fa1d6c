import type { ChatId, UserId } from '../ids.ts';

/** The subject of a publication: a user's own connections, the members of a group, or the watchers of a user's presence. */
export type Topic = `user:${number}` | `chat:${number}` | `presence:${number}`;

export const userTopic = (userId: UserId): Topic => `user:${userId}`;
export const presenceTopic = (userId: UserId): Topic => `presence:${userId}`;
export const chatTopic = (chatId: ChatId): Topic => `chat:${chatId}`;
