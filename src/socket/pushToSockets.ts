import type { BusMessage } from '../bus/bus.ts';
import { type Topic, userTopic } from '../bus/topics.ts';
import type { Listener } from '../net/listener.ts';
import type { Connection } from './Connection.ts';
import type { ConnectionRegistry } from './ConnectionRegistry.ts';
import { bytesOf } from './SocketConnection.ts';

export type Push = Extract<BusMessage, { readonly frame: string }>;

/** Publishes frames natively: to all sockets of a topic, of one app or of all. */
export type NativePublisher = Pick<Listener, 'publish' | 'isSingle'>;

/**
 * Sends a push to the sockets of a topic, except the connection that caused it, its `exceptUsers` and the `excluded`.
 * `subscribers` is the number of connections of the topic.
 */
export function pushToSockets(
  native: NativePublisher,
  connections: ConnectionRegistry,
  topic: Topic,
  subscribers: number,
  push: Push,
  excluded: readonly Connection[],
): void {
  const { except, exceptUsers } = push;
  const sender = except === undefined ? undefined : connections.get(except);
  // Most people have one connection: what they write themselves concerns nobody else in their own topic.
  if (sender && subscribers === 1 && topic === userTopic(sender.session.userId)) return;
  const frame = bytesOf(push.frame);
  const { isSingle } = native;
  if (excluded.length === 0 && !exceptUsers && (isSingle || !sender)) {
    publish(native, topic, frame, sender);
    return;
  }
  const without = [...excluded, ...(exceptUsers ?? []).flatMap((userId) => connections.ofUser(userId))];
  if (sender && !isSingle) without.push(sender);
  const unsubscribed = without.filter(({ socket }) => socket?.unsubscribe(topic));
  publish(native, topic, frame, sender);
  for (const { socket } of unsubscribed) socket?.subscribe(topic);
}

/** Publishes from the sender's own socket where it can: that reaches all of the topic except itself. */
function publish(native: NativePublisher, topic: Topic, frame: Buffer, sender: Connection | undefined): void {
  if (!(native.isSingle && sender?.publish(topic, frame))) native.publish(topic, frame);
}
