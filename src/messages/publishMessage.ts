import type { Bus } from '../bus/bus.ts';
import { chatTopic, type Topic, userTopic } from '../bus/topics.ts';
import type { Trace } from '../observability/tracing.ts';
import type { MessageDraft, StoredMessage } from './drafts.ts';
import { encodeMessagePush } from './sendFrames.ts';

/**
 * Publishes a committed message. It is the second of the steps of a message from its commit on:
 *
 * 1. commit: `MessageWriter` commits a batch, and publishes its messages in the order of `seq` within each chat.
 * 2. publish: this function.
 * 3. reply: `reply` answers the sender, once the bus (`after`) has delivered on this node everything before the message:
 *    the command receiver encodes it, and the command queue sends it behind the replies to earlier commands.
 * 4. push: the bus delivers the message to everybody who may see it, on every node, except the connection it came from;
 *    `Connections` sends it to their sockets.
 *
 * So the sender receives the reply after all messages with a lower `seq`, from any node, and before those with a higher
 * one, unless the command queue holds it for the reply to an earlier command. The push of a repeated message was already
 * published, unless the node that stored it failed; connections that have not received it read it from the database.
 */
export function publishMessage(
  bus: Bus,
  draft: MessageDraft,
  stored: StoredMessage,
  reply: () => void,
): void {
  const { chatId, seq, repeated } = stored;
  const { to, senderId, origin, trace } = draft;
  const ownTopic = 'groupId' in to ? chatTopic(to.groupId) : userTopic(senderId);
  bus.after(ownTopic, { chatId, seq: seq - 1 }, trace ? traced(trace, reply) : reply);
  if (!repeated) return pushMessage(bus, ownTopic, draft, stored);
  for (const topic of topicsOf(draft)) {
    bus.catchUp(topic, { chatId, seq }, origin);
    bus.publishHead(topic, { chatId, seq });
  }
}

/** Traces the time that a reply waits for its turn among the pushes. */
function traced(trace: Trace, reply: () => void): () => void {
  const start = performance.now();
  return () => {
    trace.part('push', (performance.now() - start) / 1000);
    reply();
  };
}

/** Returns the topics that a message is published to. */
export const topicsOf = ({ to, senderId }: Pick<MessageDraft, 'to' | 'senderId'>): Topic[] =>
  'groupId' in to ? [chatTopic(to.groupId)] : [userTopic(to.receiverId), userTopic(senderId)];

/** Pushes a message to the chat; `ownTopic` is the topic of the sender, which is made once. */
function pushMessage(bus: Bus, ownTopic: Topic, draft: MessageDraft, stored: StoredMessage): void {
  const { senderId, to, origin: except } = draft;
  const { chatId, seq } = stored;
  const push = { frame: encodeMessagePush(draft, stored), except, position: { chatId, seq } };
  if ('groupId' in to) return bus.publish(ownTopic, push);
  bus.publish(userTopic(to.receiverId), push);
  if (to.receiverId !== senderId) bus.publish(ownTopic, push);
}
