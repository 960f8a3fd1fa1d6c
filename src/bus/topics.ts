import type { ChatId, KeyId, UserId } from '../ids.ts';

/**
 * The subject of a publication: a user's own connections, the members of a group, the watchers of a user's presence, or the
 * service connections of an API key.
 */
export type Topic = `user:${number}` | `chat:${number}` | `presence:${number}` | `key:${number}`;

export const userTopic = (userId: UserId): Topic => `user:${userId}`;
export const presenceTopic = (userId: UserId): Topic => `presence:${userId}`;
export const chatTopic = (chatId: ChatId): Topic => `chat:${chatId}`;
export const keyTopic = (keyId: KeyId): Topic => `key:${keyId}`;
