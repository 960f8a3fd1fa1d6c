import type { Bus } from '../bus/bus.ts';
import { chatTopic, type Topic, userTopic } from '../bus/topics.ts';
import type { MessageDraft, StoredMessage } from './drafts.ts';
import { encodeMessagePush } from './sendFrames.ts';

/**
 * Publishes a committed message to all members of its chat except the connection of the sender. `reply` answers the
 * sender in order with the messages of others: after all messages with a lower `seq`, from any node, and before those
 * with a higher one. The push of a repeated message was already published, unless the node that stored it failed;
 * connections that have not received it read it from the database.
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

/** Returns the topics of a message. */
export const topicsOf = ({ to, senderId }: Pick<MessageDraft, 'to' | 'senderId'>): Topic[] =>
  'groupId' in to ? [chatTopic(to.groupId)] : [userTopic(to.receiverId), userTopic(senderId)];

/** Publishes the push. `ownTopic` is the topic of the sender, built once. */
function pushMessage(bus: Bus, ownTopic: Topic, draft: MessageDraft, stored: StoredMessage): void {
  const { senderId, to, origin: except } = draft;
  const { chatId, seq } = stored;
  const push = { frame: encodeMessagePush(draft, stored), except, place: { chatId, seq } };
  if ('groupId' in to) return bus.publish(ownTopic, push);
  bus.publish(userTopic(to.receiverId), push);
  if (to.receiverId !== senderId) bus.publish(ownTopic, push);
}
