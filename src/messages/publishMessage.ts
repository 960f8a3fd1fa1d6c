import type { Bus } from '../bus/bus.ts';
import { chatTopic, type Topic, userTopic } from '../bus/topics.ts';
import type { MessageDraft, StoredMessage } from './drafts.ts';
import { encodeMessagePush } from './sendFrames.ts';

/**
 * Publishes a committed message to everybody who may see it but for the connection it came from. `reply` answers the
 * sender, in the place of the message among those of others: behind what was written before it, wherever that was, and
 * before what was written after it. The push of a message that is only repeated was published, unless the node that
 * wrote it could not: whoever has not received it reads it.
 */
export function publishMessage(
  bus: Bus,
  draft: MessageDraft,
  stored: StoredMessage,
  reply: () => void,
): void {
  const { chatId, seq, repeated } = stored;
  const { to, senderId, origin } = draft;
  const ownTopic = 'groupId' in to ? chatTopic(to.groupId) : userTopic(senderId);
  bus.after(ownTopic, { chatId, seq: seq - 1 }, reply);
  if (!repeated) return pushMessage(bus, ownTopic, draft, stored);
  for (const topic of topicsOf(draft)) {
    bus.catchUp(topic, { chatId, seq }, origin);
    bus.publishHead(topic, { chatId, seq });
  }
}

/** The topics that a message is published to. */
export const topicsOf = ({ to, senderId }: Pick<MessageDraft, 'to' | 'senderId'>): Topic[] =>
  'groupId' in to ? [chatTopic(to.groupId)] : [userTopic(to.receiverId), userTopic(senderId)];

/** `ownTopic` is the one of the sender, which is made once. */
function pushMessage(bus: Bus, ownTopic: Topic, draft: MessageDraft, stored: StoredMessage): void {
  const { senderId, to, origin: except } = draft;
  const { chatId, seq } = stored;
  const push = { frame: encodeMessagePush(draft, stored), except, place: { chatId, seq } };
  if ('groupId' in to) return bus.publish(ownTopic, push);
  bus.publish(userTopic(to.receiverId), push);
  if (to.receiverId !== senderId) bus.publish(ownTopic, push);
}
