import type { Publisher } from '../bus/bus.ts';
import { chatTopic, userTopic } from '../socket/Connections.ts';
import { encodePush } from '../socket/frames.ts';
import type { MessageDraft, StoredMessage } from './drafts.ts';

/** Pushes a committed message to everybody who may see it, but for the connection it came from. */
export function pushMessage(bus: Publisher, draft: MessageDraft, stored: StoredMessage): void {
  const { senderId, to, content, extras, origin: except } = draft;
  const { chatId, messageId, seq, createdAt, mentions } = stored;
  const place = { chatId, seq };
  const plain = { messageId, seq, createdAt, senderId, ...to };
  // What is undefined is left out of the frame; most messages have none of it.
  const fields =
    extras || mentions
      ? { ...plain, ...extras, silent: extras?.silent || undefined, mentions: mentions ?? undefined }
      : plain;
  if ('groupId' in to) {
    const frame = encodePush('messageInGroup', content, stored.senderName, fields);
    bus.publish(chatTopic(to.groupId), { frame, except, place });
    return;
  }
  const frame = encodePush('privateMessage', content, stored.senderName, fields);
  const push = { frame, except, place };
  bus.publish(userTopic(to.receiverId), push);
  if (to.receiverId !== senderId) bus.publish(userTopic(senderId), push);
}
