import type { Bus } from '../bus/bus.ts';
import { chatTopic, userTopic } from '../socket/Connections.ts';
import { encodePush } from '../socket/frames.ts';
import type { MessageDraft, StoredMessage } from './drafts.ts';

/**
 * Tells of a committed message: pushes it to everybody who may see it but for the connection it came from, then lets
 * `reply` tell the sender, who sees what was written before first, wherever it was written. The push of a message that
 * is only repeated went out, or the node that wrote it could not: then it is read.
 */
export function tellMessage(bus: Bus, draft: MessageDraft, stored: StoredMessage, reply: () => void): void {
  const { chatId, seq, repeated } = stored;
  const { to, senderId, origin } = draft;
  const place = { chatId, seq };
  if (!repeated) pushMessage(bus, draft, stored);
  else for (const topic of topicsOf(draft)) bus.catchUp(topic, place, origin);
  bus.after('groupId' in to ? chatTopic(to.groupId) : userTopic(senderId), place, reply);
}

const topicsOf = ({ to, senderId }: MessageDraft) =>
  'groupId' in to ? [chatTopic(to.groupId)] : [userTopic(to.receiverId), userTopic(senderId)];

function pushMessage(bus: Bus, draft: MessageDraft, stored: StoredMessage): void {
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
